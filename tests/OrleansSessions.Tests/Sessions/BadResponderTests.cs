using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>Responders that do what they must not. Their session answers all the same, and nothing of them is left.</summary>
public sealed class BadResponderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task AResponderThatNeverYields_HoldsUpNeitherItsGrainNorTheStop()
    {
        var responder = new FloodingResponder();
        var cluster = await StartAsync(responder, "flood");
        var session = cluster.Session("s");
        await session.AskAsync("a", "go").WaitAsync(Patience);

        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(AskOutcome.Busy, (await session.AskAsync("b", "me too").WaitAsync(Patience)).Outcome);
        }

        Assert.Equal(CancelOutcome.Cancelling, (await session.CancelAsync("a").WaitAsync(Patience)).Outcome);
        await responder.Stopped.WaitAsync(Patience);
        await session.AskAsync("c", "again").WaitAsync(Patience);
        await cluster.DisposeAsync();
        await Eventually.TrueAsync(() => responder.Running == 0, "no answer is left running after the silo's stop");
    }

    [Fact]
    public async Task AResponderThatBlocksItsThread_HoldsUpNeitherItsGrainNorItsNeighbours()
    {
        using var responder = new BlockingResponder();
        await using var cluster = await StartAsync(responder, "block");
        await cluster.Session("s").AskAsync("a", "go").WaitAsync(Patience);
        await responder.Entered.WaitAsync(Patience);

        Assert.Equal(QuestionStatus.Accepted, (await cluster.Session("s").GetQuestionAsync("a").WaitAsync(Patience))!.Status);
        Assert.Equal(CancelOutcome.Cancelling, (await cluster.Session("s").CancelAsync("a").WaitAsync(Patience)).Outcome);
        Assert.True(await cluster.Session("s").CanAcceptQuestionAsync().WaitAsync(Patience));
        responder.Release();
        await Eventually.TrueAsync(() => responder.Running == 0, "the blocked answer has ended");
        Assert.Equal("", (await cluster.Session("s").GetQuestionAsync("a"))!.Text);
    }

    [Fact]
    public async Task ADeactivation_LeavesNoAnswerRunning()
    {
        await using var cluster = await SessionCluster.StartAsync();
        var script = cluster.Responder.For("go").Send("x");
        await cluster.Session("s").AskAsync("a", "go");
        await script.Started.WaitAsync(Patience);

        await cluster.Orleans.Silos[0].StopSiloAsync(stopGracefully: true);

        await script.Cancelled.WaitAsync(Patience);
        await script.Stopped.WaitAsync(Patience);
    }

    private static Task<SessionCluster> StartAsync<T>(T responder, string name)
        where T : class, IResponder =>
        SessionCluster.StartAsync(responderName: name, configureSilo: silo =>
        {
            silo.Services.AddSingleton(responder);
            silo.Services.AddResponder<T>(name);
        });

    /// <summary>Gives text for ever, never asynchronously, and never looks at its token.</summary>
    private sealed class FloodingResponder : IResponder
    {
        private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _running;

        public int Running => Volatile.Read(ref _running);

        public Task Stopped => _stopped.Task;

        public async IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _running);
            try
            {
                await Task.CompletedTask;
                while (true)
                {
                    yield return AnswerPiece.Of("x");
                }
            }
            finally
            {
                Interlocked.Decrement(ref _running);
                _stopped.TrySetResult();
            }
        }
    }

    /// <summary>Holds its thread until it is let go.</summary>
    private sealed class BlockingResponder : IResponder, IDisposable
    {
        private readonly ManualResetEventSlim _gate = new();
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _running;

        public int Running => Volatile.Read(ref _running);

        public Task Entered => _entered.Task;

        public void Release() => _gate.Set();

        public async IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _running);
            try
            {
                _entered.TrySetResult();
                _gate.Wait(Patience, CancellationToken.None);
                await Task.CompletedTask;
                yield return AnswerPiece.Of("too late");
            }
            finally
            {
                Interlocked.Decrement(ref _running);
            }
        }

        public void Dispose() => _gate.Dispose();
    }
}
