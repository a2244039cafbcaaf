using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Responders;
using Xunit;

namespace OrleansSessions.Tests.Responders;

public sealed class EchoResponderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("one two three", 3)]
    [InlineData("  one\t\ttwo\n", 2)]
    [InlineData("one", 1)]
    [InlineData("   ", 1)]
    [InlineData("caf\u00e9 \U0001F600 \u65e5\u672c", 3)]
    public async Task Answer_JoinedPieces_AreTheQuestion(string question, int words)
    {
        var pieces = await Create(new EchoOptions { InitialDelay = TimeSpan.Zero, Delay = TimeSpan.Zero }).AnswerAsync(Ask(question), TestContext.Current.CancellationToken)
            .Select(piece => piece.Text).ToListAsync(TestContext.Current.CancellationToken);

        Assert.Equal(question, string.Concat(pieces));
        Assert.Equal(words, pieces.Count);
    }

    [Fact]
    public async Task Answer_WithDelays_WaitsBeforeTheFirstWordAndBetweenWords()
    {
        var time = new FakeTimeProvider();
        var options = new EchoOptions { InitialDelay = TimeSpan.FromSeconds(5), Delay = TimeSpan.FromSeconds(1) };
        await using var pieces = Create(options, time).AnswerAsync(Ask("one two"), TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        var first = pieces.MoveNextAsync();
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(first.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(await first);
        Assert.Equal("one", pieces.Current.Text);

        var second = pieces.MoveNextAsync();
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await second);
        Assert.Equal(" two", pieces.Current.Text);
    }

    [Fact]
    public async Task Answer_ByDefault_IsSlowEnoughForAPersonToStop()
    {
        var time = new FakeTimeProvider();
        await using var pieces = Create(new EchoOptions(), time).AnswerAsync(Ask("one two"), TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        var first = pieces.MoveNextAsync();
        time.Advance(TimeSpan.FromMilliseconds(299));
        Assert.False(first.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await first.AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken));

        var second = pieces.MoveNextAsync();
        time.Advance(TimeSpan.FromMilliseconds(199));
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await second.AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Answer_CancelledWhileItWaits_Ends()
    {
        using var cancel = new CancellationTokenSource();
        await using var pieces = Create(new EchoOptions { InitialDelay = TimeSpan.Zero, Delay = TimeSpan.FromHours(1) }, new FakeTimeProvider())
            .AnswerAsync(Ask("one two"), cancel.Token).GetAsyncEnumerator(cancel.Token);
        Assert.True(await pieces.MoveNextAsync());

        var second = pieces.MoveNextAsync();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await second);
    }

    private static EchoResponder Create(EchoOptions options, TimeProvider? time = null) => new(Options.Create(options), time ?? TimeProvider.System);

    private static ResponderContext Ask(string question) => new() { SessionKey = "/s", QuestionId = "q", Question = question };
}
