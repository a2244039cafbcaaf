using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using OrleansSessions.EndToEndTests.Clusters;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Tokens;
using Xunit;

namespace OrleansSessions.EndToEndTests.Operations;

/// <summary>Sessions that no one uses any more go away by themselves, with all that the server and its store keep for them.</summary>
public sealed class GoneSessionsTests
{
    private const int WarmUp = 300;
    private const int Sessions = 1500;
    private const int Callers = 100;

    /// <summary>An activation takes more than 10 KB, an entry in a dictionary with a key and an address about 300 bytes.</summary>
    private const int MaxBytesOfGoneSession = 200;

    private const string SigningKey = "a key of at least thirty-two bytes";
    private const string ManagementKey = "the key that reads the metrics";

    /// <summary>What the store keeps longest goes after retention twice, an answer's and a queue's time and the collection age: 9 s.</summary>
    private static readonly string[] Settings =
    [
        "Sessions:Retention=00:00:01", "Sessions:AnswerTimeout=00:00:01", "Sessions:QueueTimeout=00:00:01", "Sessions:CollectionAge=00:00:05",
        "Responder:Name=echo", "Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00", "Auth:AllowAnonymous=true",
        $"Auth:Jwt:Keys:test={SigningKey}", $"Auth:Jwt:Issuer={TestToken.DefaultIssuer}", $"Auth:Jwt:Audience={TestToken.DefaultAudience}",
        $"Auth:ApiKeys:test={Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(ManagementKey)))} sessions:admin",
    ];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string LongQuestion = string.Join(' ', Enumerable.Repeat("word", 4000));

    [Fact]
    public async Task SessionsThatComeAndGo_LeaveNeitherKeysNorMemory()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        await using var node = await ServerProcess.StartWithAsync(ServerProcess.WithProbe, [.. nodes.Settings, .. Settings]);
        var keys = await nodes.KeysAsync();

        // 1. What every session needs is loaded, and the sessions that needed it leave the memory.
        await LetComeAndGoAsync(node, "warm", WarmUp, callers: 0);
        await UntilAsleepAsync(node);
        var before = await node.ReadHeapAsync();

        // 2. Many more come and go. What the store has of them, goes, too.
        await LetComeAndGoAsync(node, "gone", Sessions, Callers);
        await UntilAsleepAsync(node);
        await Eventually.TrueAsync(async () => !(await nodes.KeysAsync()).Except(keys).Any(), "the store has no key of a session", Patience);
        var after = await node.ReadHeapAsync();
        Assert.InRange((after - before) / (double)Sessions, double.MinValue, MaxBytesOfGoneSession);
    }

    /// <param name="callers">How many callers have a scope of their own, with a session each. They come first: their permits are kept for 10 s.</param>
    private static Task LetComeAndGoAsync(ServerProcess node, string name, int sessions, int callers) => Parallel.ForEachAsync(
        Enumerable.Range(0, sessions), new ParallelOptions { MaxDegreeOfParallelism = 8 },
        async (number, _) => await UseAsync(node, $"{name}-{number}", number, number < callers));

    /// <summary>Of ten sessions one is only connected to, one asks over HTTP, and one has a long answer.</summary>
    private static async Task UseAsync(ServerProcess node, string session, int number, bool isScoped)
    {
        if (number % 10 == 9)
        {
            var answer = await node.Http.AskAsync(session, """{"question":"over HTTP"}""", ("Prefer", "wait=10"));
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            return;
        }

        using var socket = new ClientWebSocket();
        if (isScoped)
        {
            var token = new TestToken { Subject = $"caller-{number}", KeyId = "test" }.SignedWith(SigningKey);
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        using var deadline = new CancellationTokenSource(Patience, TimeProvider.System);
        await socket.ConnectAsync(node.Socket(session), deadline.Token);
        if (number % 10 != 8)
        {
            var question = number % 10 == 7 ? LongQuestion : "short";
            await socket.SendAsync(Encoding.UTF8.GetBytes($$"""{"question":"{{question}}"}"""), WebSocketMessageType.Text, true, deadline.Token);
            Assert.StartsWith($$"""{"type":"response","data":"{{question}}""", await ReceiveAsync(socket, deadline.Token), StringComparison.Ordinal);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, deadline.Token);
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        using var frame = new MemoryStream();
        var buffer = new byte[8192];
        WebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), cancellationToken);
            frame.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return Encoding.UTF8.GetString(frame.ToArray());
    }

    /// <summary>Waits until no grain of a session or a scope is active, and the directory's cache knows none.</summary>
    private static Task UntilAsleepAsync(ServerProcess node) => Eventually.TrueAsync(
        async () => await SumAsync(node, "sessions_active") == 0 && await SumAsync(node, "orleans_grains", "orleanssessions.scope") == 0,
        "no grain of a session or a scope is active", Patience);

    /// <summary>The sum of a metric over its tags, as far as they contain something.</summary>
    private static async Task<long> SumAsync(ServerProcess node, string name, string tag = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new("Bearer", ManagementKey);
        using var response = await node.Http.SendAsync(request);
        return (await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync()).Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) && line.Contains(tag, StringComparison.Ordinal))
            .Sum(line => (long)double.Parse(line[(line.LastIndexOf('}') + 1)..], CultureInfo.InvariantCulture));
    }
}
