using System.Collections.Concurrent;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Stores;

namespace OrleansSessions.Tests.Durability;

/// <summary>
/// Two processes that use the same rows one after the other. <see cref="Crash"/> cuts the first one off from the rows of a session for good, so that it is as
/// if it had been killed: nothing that it still does is seen.
/// </summary>
internal sealed class FailoverPair : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, bool> _crashed = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private FailoverPair(StoredCluster first, StoredCluster second)
    {
        (First, Second) = (first, second);
        first.Store.Before = first.Store.After = HoldAsync;
    }

    public StoredCluster First { get; }

    public StoredCluster Second { get; }

    /// <param name="secondResponder">The name of the second one's responder. Default: that of the first one.</param>
    public static async Task<FailoverPair> StartAsync(
        RecoveryMode recovery = RecoveryMode.Fail, Action<SessionsOptions>? configure = null, string responderName = "scripted", string? secondResponder = null)
    {
        var rows = new StoredRows();
        var first = await StoredCluster.StartAsync(rows, Configure, responderName);
        var second = await StoredCluster.StartAsync(rows, Configure, secondResponder ?? responderName);
        second.Cluster.Responder.Recovery = recovery;
        return new(first, second);

        void Configure(SessionsOptions options)
        {
            options.CheckpointInterval = TimeSpan.FromMilliseconds(10);
            configure?.Invoke(options);
        }
    }

    /// <summary>The first process is lost to a session.</summary>
    public void Crash(string session) => _crashed[StoredCluster.Key(session)] = true;

    /// <summary>Has the first process ask a question, answer it with text, and save that; then it crashes.</summary>
    public async Task CrashInAnswerAsync(string session, string id, string question, string text, string unsaved = "")
    {
        First.Cluster.Responder.For(question).Send(text);
        await First.Session(session).AskAsync(id, question);
        await SavedAsync(session, text);
        Crash(session);
        if (unsaved.Length > 0)
        {
            First.Cluster.Responder.For(question).Send(unsaved);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _over.SetResult();
        await First.DisposeAsync();
        await Second.DisposeAsync();
    }

    /// <summary>Waits until the last chunk of a session ends with a text.</summary>
    public Task SavedAsync(string session, string text)
    {
        var end = System.Text.Encoding.UTF8.GetBytes(text[^Math.Min(20, text.Length)..]);
        return Eventually.TrueAsync(
            () => First.Store.Operations.Any(operation => operation.Grain == StoredCluster.Key(session)
                && operation.Slot.StartsWith("chunk.", StringComparison.Ordinal) && operation.State.Span.IndexOf(end) >= 0),
            "the text is saved");
    }

    private Task HoldAsync(StoreOperation operation) => _crashed.ContainsKey(operation.Grain) ? _over.Task : Task.CompletedTask;
}
