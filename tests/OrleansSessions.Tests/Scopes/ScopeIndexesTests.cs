using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Scopes;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

/// <summary>What a silo reports to indexes, without a cluster.</summary>
public sealed class ScopeIndexesTests : IAsyncLifetime
{
    private const string Scope = "s.alice";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<ListedSession> _reported = new();
    private readonly TaskCompletionSource _isTouched = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ScopeIndexes _indexes;
    private volatile TaskCompletionSource? _reply;

    public ScopeIndexesTests() => _indexes = new(
        Stub.Of<IGrainFactory>((_, _) => Stub.Of<IScopeIndexGrain>((_, args) => Call(args[0]!))), _time, NullLogger<ScopeIndexes>.Instance);

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _indexes.DisposeAsync();

    [Fact]
    public async Task Flush_ReportsWhatIsLeft_TheLatestOfEachSession()
    {
        Touch("a", "first");
        Touch("a", "last");
        Touch("b", "only");
        await FlushAsync();

        Assert.Equal(["last", "only"], Reported());
    }

    [Fact]
    public async Task WhatAnIndexDidNotTake_IsReportedAgain_UnlessThereIsSomethingLater()
    {
        var flush = await FlushIntoAWaitAsync("a", "b");
        Touch("a", "later");
        _reply!.SetException(new TimeoutException());
        await flush;
        _reply = null;
        _time.Advance(PatientCalls.Pause);
        await FlushAsync();

        Assert.Equal(["later", "of b"], Reported());
    }

    [Fact]
    public async Task WhatIsRemovedWhileAReportIsUnderWay_DoesNotComeBack()
    {
        var flush = await FlushIntoAWaitAsync("a", "b");
        var reply = _reply!;
        _reply = null;
        await _indexes.RemoveAsync(Scope, "a");
        reply.SetException(new TimeoutException());
        await flush;
        _time.Advance(PatientCalls.Pause);
        await FlushAsync();

        Assert.Equal(["of b"], Reported());
    }

    private async Task<Task> FlushIntoAWaitAsync(params string[] sessions)
    {
        _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var session in sessions)
        {
            Touch(session, $"of {session}");
        }

        var flush = FlushAsync();
        await _isTouched.Task.WaitAsync(Patience);
        return flush;
    }

    private void Touch(string session, string question) => _indexes.Touch(Scope, ListedSession.Of(session, question, _time.GetUtcNow()));

    private Task FlushAsync() => _indexes.FlushAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);

    private IEnumerable<string> Reported() => _reported.Select(session => session.LastQuestion).Order(StringComparer.Ordinal);

    private Task Call(object request)
    {
        if (request is not TouchSessionsRequest touch)
        {
            return Task.CompletedTask;
        }

        _isTouched.TrySetResult();
        if (_reply is { } reply)
        {
            return reply.Task;
        }

        foreach (var session in touch.Sessions)
        {
            _reported.Enqueue(session);
        }

        return Task.CompletedTask;
    }
}
