using OrleansSessions.Responders.OpenAI;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>A test with one upstream that it writes byte by byte, one responder that asks it, and one deadline.</summary>
public abstract class UpstreamTest : IAsyncLifetime
{
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    private protected CancellationToken Deadline => _deadline.Token;

    private protected RawUpstream Upstream { get; private set; } = null!;

    private protected OpenAIResponder Responder { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _deadline.CancelAfter(TimeSpan.FromSeconds(20));
        Upstream = await RawUpstream.StartAsync();
        Responder = UpstreamResponder.Create(Upstream.Endpoint);
    }

    public async ValueTask DisposeAsync()
    {
        Responder.Dispose();
        await Upstream.DisposeAsync();
        _deadline.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Waits for the next request, or fails at once if the answer ends instead.</summary>
    private protected async Task<RawExchange> UntilNextAsync(AnswerReading answer)
    {
        var next = Upstream.NextAsync(Deadline);
        if (await Task.WhenAny(next, answer.Next) != next)
        {
            await answer.UntilEndAsync();
            Assert.Fail($"There was no request. Got {answer.Description}.");
        }

        return await next;
    }
}
