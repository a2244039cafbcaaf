using System.Globalization;
using System.Net;
using Microsoft.Data.Sqlite;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Storage;

/// <summary>One process keeps its sessions in one file, whatever ends it.</summary>
public sealed class SessionFileTests : IDisposable
{
    private static readonly string[] WithoutPauses = ["Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sessions-");

    private string File => Path.Combine(_folder.FullName, "new", "sessions.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Kill_InTheMiddleOfManyWrites_LosesNothingThatWasAnswered()
    {
        const int Sessions = 20;
        var names = Enumerable.Range(0, Sessions).Select(_ => Names.Session()).ToArray();
        var answered = new int[Sessions];

        // 1. Every session asks again and again, until the process is killed in the middle of it.
        await using (var server = await StartAsync())
        {
            var askers = names.Select((name, i) => AskUntilTheEndAsync(server.Http, name, count => Volatile.Write(ref answered[i], count))).ToArray();
            await Eventually.TrueAsync(() => answered.All(count => Volatile.Read(ref count) >= 20), "every session has 20 answers");
            server.Kill();
            await Task.WhenAll(askers);
        }

        // 2. The next process has each question that was answered, with its answer, and goes on.
        await using (var server = await StartAsync())
        {
            for (var i = 0; i < Sessions; i++)
            {
                var kept = await QuestionsAsync(server.Http, names[i]);
                Assert.InRange(kept.Count, answered[i], answered[i] + 1);
                Assert.All(
                    Enumerable.Range(1, answered[i]),
                    number => Assert.Equal((Text(number), Text(number), "completed"), kept[Id(number)]));
                var next = await server.Http.AskAsync(names[i], """{"question":"still there?"}""", ("Prefer", "wait=20"));
                Assert.Equal((HttpStatusCode.OK, "still there?"), (next.Status, next.Body.Text("text")));
            }

            Assert.Equal(0, await server.StopAsync());
        }

        // 3. A stop leaves one file, and it is whole.
        Assert.Equal([File], Directory.GetFiles(Path.GetDirectoryName(File)!));
        Assert.Equal("ok", Read("PRAGMA integrity_check"));
    }

    [Fact]
    public async Task Greeting_NamesTheFile()
    {
        await using var server = await StartAsync();

        Assert.Contains($"  sessions   {File}\n", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SessionsInMemory_AreNamedInTheGreeting_AndWriteNoFile()
    {
        await using var process = ServerProcess.Launch(
            "a server in memory", [RepositoryFolder.ServerDll, "--urls=http://127.0.0.1:0", "--Sessions:Persistence=Memory", $"--Sessions:File={File}"]);
        await process.UntilAsync(() => Task.FromResult(process.Output.Contains("  metrics ", StringComparison.Ordinal)), "it has started", Patience);

        Assert.Contains("  sessions   in memory\n", process.Output, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File));
    }

    [Theory]
    [InlineData("File", "stored")]
    [InlineData("Memory", "memory")]
    public async Task Hello_SaysWhetherTheSessionOutlivesItsProcess_AndWhatCanBeResumed(string persistence, string durability)
    {
        await using var server = await ServerProcess.StartAsync(
            [$"Sessions:Persistence={persistence}", $"Sessions:File={File}", "Sessions:Retention=01:00:00", .. WithoutPauses]);
        var session = Names.Session();
        await using var socket = await CheckedSocket.ConnectAsync(server.Socket(session));

        var hello = await socket.ExpectAsync("hello");

        Assert.Equal(durability, hello.Text("durability"));
        Assert.Equal("""{"ttl_ms":3600000,"oldest_seq":1}""", hello.GetProperty("resume").GetRawText().Replace(" ", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TheSameCommandTwice_InOneFolder_IsRefusedWithOneLine()
    {
        // As in the README: without a setting, in the current folder.
        await using var first = LaunchIn(_folder.FullName);
        await first.UntilAsync(() => Task.FromResult(first.Output.Contains("  metrics ", StringComparison.Ordinal)), "it has started", Patience);

        await using var second = LaunchIn(_folder.FullName);

        await RefusedAsync(second, Path.Combine(_folder.FullName, "sessions.db"), "in use by another process");
        Assert.False(first.HasExited);
    }

    [Theory]
    [InlineData("a text that is no database, and longer than a header of one: 1234567890 1234567890 1234567890 1234567890", "damaged")]
    [InlineData("cut", "damaged")]
    [InlineData("foreign", "a database of another program")]
    [InlineData("folder", "cannot be created or written")]
    public async Task Start_WithAFileThatCannotBeUsed_SaysWhy_AndLeavesItAsItIs(string content, string reason)
    {
        await PrepareAsync(content);
        var before = System.IO.File.Exists(File) ? await System.IO.File.ReadAllBytesAsync(File, TestContext.Current.CancellationToken) : [];

        await using var process = ServerProcess.Launch(
            "a server with a file that cannot be used", [RepositoryFolder.ServerDll, "--urls=http://127.0.0.1:0", $"--Sessions:File={File}"]);

        await RefusedAsync(process, File, reason);
        Assert.Equal(before, System.IO.File.Exists(File) ? await System.IO.File.ReadAllBytesAsync(File, TestContext.Current.CancellationToken) : []);
    }

    private static TimeSpan Patience => TimeSpan.FromSeconds(60);

    private static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"q-{number:D5}");

    private static string Text(int number) => string.Create(CultureInfo.InvariantCulture, $"question number {number}");

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(
        ["Sessions:Persistence=File", $"Sessions:File={File}", "Sessions:KeptQuestions=100000", "Sessions:KeptBytes=100000000",
            "Limits:MaxAsksPerMinutePerScope=0", "SocketGateway:MaxRequestsPerMinute=0", .. WithoutPauses]);

    private static ChildProcess LaunchIn(string folder) => ChildProcess.Start(
        $"a server in {folder}", ChildProcess.DotnetPath, [RepositoryFolder.ServerDll, "--urls=http://127.0.0.1:0"], folder: folder);

    /// <summary>Asks one question after another, and reports how many have been answered.</summary>
    private static async Task AskUntilTheEndAsync(HttpClient http, string session, Action<int> answered)
    {
        try
        {
            // As many as one reading of the session returns.
            for (var number = 1; number < 100; number++)
            {
                var answer = await http.AskAsync(session, $$"""{"question":"{{Text(number)}}","id":"{{Id(number)}}"}""", ("Prefer", "wait=20"));
                if (answer.Status != HttpStatusCode.OK || answer.Body.Text("status") != "completed")
                {
                    throw new InvalidOperationException($"Question {number} of {session}: {answer.Status} {answer.Body}");
                }

                answered(number);
            }
        }
        catch (HttpRequestException)
        {
            // The process is gone.
        }
    }

    /// <summary>Every kept question of a session by its id, with its text, its answer and its status.</summary>
    private static async Task<Dictionary<string, (string? Question, string? Answer, string? Status)>> QuestionsAsync(HttpClient http, string session)
    {
        var all = await http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions?limit=100");
        return all.Body.GetProperty("questions").EnumerateArray()
            .ToDictionary(one => one.Text("question_id")!, one => (one.Text("question"), one.Text("text"), one.Text("status")));
    }

    private static async Task RefusedAsync(ChildProcess process, string file, string reason)
    {
        Assert.Equal(1, await process.ExitAsync(Patience));
        var line = Assert.Single(process.Output.Split('\n'), line => line.Length > 0);
        foreach (var word in new[] { "The server cannot start: ", file, reason, "Sessions:File", "Sessions:Persistence=Memory" })
        {
            Assert.Contains(word, line, StringComparison.Ordinal);
        }
    }

    private async Task PrepareAsync(string content)
    {
        Directory.CreateDirectory(content == "folder" ? File : Path.GetDirectoryName(File)!);
        switch (content)
        {
            case "folder":
                break;
            case "foreign":
                Read("CREATE TABLE a (b)");
                break;
            case "cut":
                Read("CREATE TABLE a (b); INSERT INTO a VALUES (randomblob(100000)); SELECT 1");
                using (var file = System.IO.File.OpenWrite(File))
                {
                    file.SetLength(file.Length / 2 / 4096 * 4096);
                }

                break;
            default:
                await System.IO.File.WriteAllTextAsync(File, content);
                break;
        }
    }

    private string? Read(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as string;
    }
}
