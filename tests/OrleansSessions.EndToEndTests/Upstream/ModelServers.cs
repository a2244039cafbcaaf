using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>A server in its own process, and an upstream whose every byte the test sends. A question waits until the test answers it.</summary>
public abstract class ModelServer(params string[] settings) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public RawUpstream Upstream { get; private set; } = null!;

    public ServerProcess Server { get; private set; } = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Upstream = await RawUpstream.StartAsync();
        Server = await ServerProcess.StartWithAsync(
            new() { ["Logging__LogLevel__OrleansSessions"] = "Debug" },
            ["Responder:Name=openai", $"Responder:OpenAI:Endpoint={Upstream.Endpoint}", .. settings]);

        // The first question makes much of the code run for the first time. No timer of a test should measure that.
        await using var client = await ConnectAsync();
        var question = await client.AskAsync("Are you there?");
        await (await NextAsync()).AnswerAsync("Yes.");
        await client.PumpUntilDoneAsync(question);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }

        await Upstream.DisposeAsync();
    }

    /// <summary>Returns the next request that the upstream gets.</summary>
    public async Task<RawExchange> NextAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        try
        {
            return await Upstream.NextAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!Token.IsCancellationRequested)
        {
            throw new TimeoutException($"The upstream was not asked within {Patience}. The server printed:\n{Server.Output}");
        }
    }

    /// <summary>Waits until the server has closed the connection of a response that has not ended.</summary>
    public static Task UntilClosedAsync(RawExchange exchange) => exchange.ClosedByClient.WaitAsync(Patience, TimeProvider.System, Token);

    public async Task<ReferenceClient> ConnectAsync()
    {
        var session = Names.Session();
        var client = new ReferenceClient(query => Server.Socket(session, query));
        await client.ConnectAsync();
        return client;
    }

    /// <summary>Opens a v1 socket, waits for its <c>hello</c>, and asks.</summary>
    public async Task<CheckedSocket> AskAsync(string frame, string? session = null, params (string Name, string Value)[] headers)
    {
        var socket = await CheckedSocket.ConnectAsync(Server.Socket(session ?? Names.Session()), WireProfile.V1, options =>
        {
            options.AddSubProtocol(CheckedSocket.V1);
            foreach (var (name, value) in headers)
            {
                options.SetRequestHeader(name, value);
            }
        });
        await socket.ExpectAsync("hello");
        await socket.SendAsync(frame);
        return socket;
    }
}

/// <summary>One server for the tests that do not depend on timers.</summary>
public sealed class PatientModelServer() : ModelServer(
    "Responder:OpenAI:Model=plain", "Responder:OpenAI:SystemPrompt=Be brief.", $"Responder:OpenAI:ApiKey={Key}", "Responder:OpenAI:SendUser=true",
    "Responder:OpenAI:SendMetadata=true", "Responder:OpenAI:AllowedModels:0=small", "Responder:OpenAI:AllowedModels:1=metered",
    "Responder:OpenAI:AllowedModels:2=metered-and-cancelled", "Responder:OpenAI:MaxQuestionTemperature=1", "Responder:OpenAI:SystemPrompts:pirate=Talk like a pirate.")
{
    public const string Key = "sk-end-to-end-key";
}

/// <summary>The classes whose tests share <see cref="PatientModelServer"/>. They run one after the other, so each gets its own requests from the upstream.</summary>
[CollectionDefinition]
public sealed class PatientModelServerUsers : ICollectionFixture<PatientModelServer>;
