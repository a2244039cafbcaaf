using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Logging;

/// <summary>
/// Whatever fails, the log contains ids, types and stacks, but no text of a user, an upstream or a store. Everything is logged, at level Trace.
/// </summary>
public sealed class SilentLogTests : IAsyncDisposable
{
    private const string Asked = "What is my balance on account 4711?";
    private const string Key = "sk-secret-key";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly RecordedLogs _logs = new();

    [Fact]
    public async Task AnUpstreamThatRepeatsTheQuestionAndTheKey_IsLoggedWithoutThem()
    {
        await using var upstream = await FakeOpenAIServer.StartAsync(exchange => exchange.FailAsync(
            400,
            $$$"""{"error":{"message":"cannot answer '{{{Asked}}}' with {{{exchange.Authorization}}}","type":"invalid_request_error","code":null}}"""));
        await using var cluster = await StartAsync(OpenAIResponderExtensions.Name, configure: silo => silo.Services.AddOpenAIResponder().Configure<OpenAIOptions>(options =>
        {
            options.Endpoint = upstream.Endpoint;
            options.Model = "fake";
            options.ApiKey = Key;
        }));

        var ended = await AskAsync(cluster);

        Assert.Equal("The upstream answered with HTTP status 400 ('invalid_request_error').", ended.End!.Message);
        var line = Assert.Single(_logs.OwnLines, line => line.Contains("could not answer question a", StringComparison.Ordinal));
        Assert.Contains(DoneReasons.ResponderError, line, StringComparison.Ordinal);
        Assert.Contains("ResponderException: The upstream answered with HTTP status 400 ('invalid_request_error').", line, StringComparison.Ordinal);
        Assert.Contains("   at ", line, StringComparison.Ordinal);
        Assert.Single(_logs.OwnLines, line => line.Contains(
            "HTTP status 400, content type application/json, error type invalid_request_error, error code none", StringComparison.Ordinal));
        AssertSilent(Asked, "my balance", Key);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("nested")]
    [InlineData("data")]
    [InlineData("aggregate")]
    [InlineData("responder exception")]
    public async Task AResponderThatThrowsTheQuestion_IsLoggedByTypeAndStack(string kind)
    {
        await using var cluster = await StartAsync("telltale", new Telltale(kind));

        await AskAsync(cluster);

        var line = Assert.Single(_logs.OwnLines, line => line.Contains("question a", StringComparison.Ordinal) && line.Contains("Exception", StringComparison.Ordinal));
        Assert.Contains(nameof(Telltale), line, StringComparison.Ordinal);
        AssertSilent(Asked, "my balance");
    }

    [Fact]
    public async Task AResponderThatThrows_InDevelopment_IsLoggedWithItsMessage()
    {
        await using var cluster = await StartAsync(
            "telltale", new Telltale("nested"), environment: Environments.Development);

        await AskAsync(cluster);

        var line = Assert.Single(_logs.OwnLines, line => line.Contains("the responder threw", StringComparison.Ordinal));
        Assert.Contains($"cannot answer '{Asked}'", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStoreThatRepeatsWhatItWasGiven_IsLoggedWithoutIt()
    {
        await using var cluster = await StartAsync(
            "scripted", configure: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, new TalkativeStorage(Asked)));

        await Assert.ThrowsAnyAsync<Exception>(() => cluster.Session("s").AskAsync(Question()).WaitAsync(Patience));

        // The caller is refused before it is known, and logged, that the store is away.
        await Eventually.TrueAsync(
            () => _logs.OwnLines.Any(static line =>
                line.Contains("The store of the sessions is away", StringComparison.Ordinal) && line.Contains(nameof(IOException), StringComparison.Ordinal)),
            "the log says that the store is away");
        Assert.All(_logs.OwnLines, line => Assert.DoesNotContain("my balance", line, StringComparison.Ordinal));
    }

    public ValueTask DisposeAsync()
    {
        _logs.Dispose();
        return ValueTask.CompletedTask;
    }

    private void AssertSilent(params string[] words) =>
        Assert.All(_logs.Lines, line => Assert.All(words, word => Assert.DoesNotContain(word, line, StringComparison.OrdinalIgnoreCase)));

    private static AskRequest Question() => new() { QuestionId = "a", Question = Asked };

    private static async Task<QuestionDescription> AskAsync(SessionCluster cluster)
    {
        var session = cluster.Session("s");
        await session.AskAsync(Question()).WaitAsync(Patience);
        QuestionDescription? question = null;
        await Eventually.TrueAsync(async () => (question = await session.GetQuestionAsync("a"))!.End is not null, "the question has ended");
        return question!;
    }

    private Task<SessionCluster> StartAsync(
        string name, Telltale? telltale = null, Action<ISiloBuilder>? configure = null, string? environment = null) =>
        SessionCluster.StartAsync(responderName: name, configureSilo: silo =>
        {
            silo.Services.AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = environment ?? Environments.Production });
            silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(_logs).AddFilter<RecordedLogs>(null, LogLevel.Trace));
            if (telltale is not null)
            {
                silo.Services.AddSingleton(telltale);
                silo.Services.AddResponder<Telltale>("telltale");
            }

            configure?.Invoke(silo);
        });

    /// <summary>A responder that repeats the question in its exceptions.</summary>
    private sealed class Telltale(string kind) : IResponder
    {
        public async IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield return AnswerPiece.Of("Let me see. ");
            Throw($"cannot answer '{context.Question}'");
        }

        private void Throw(string message)
        {
            var fault = new InvalidOperationException(message);
            fault.Data[message] = message;
            throw kind switch
            {
                "plain" or "data" => fault,
                "nested" => new NotSupportedException(message, fault),
                "aggregate" => new AggregateException(message, fault, new NotSupportedException(message, fault)),
                _ => new ResponderException(DoneReasons.ResponderRefused, message, isRetryable: false, fault),
            };
        }
    }
}
