using OrleansSessions.Chaos.Clients;

namespace OrleansSessions.Chaos.Rounds;

/// <summary>The client that asks in a round, of whatever kind.</summary>
internal abstract class Asker : IAsyncDisposable
{
    /// <summary>Asks, as often as that takes, and waits for the end.</summary>
    public abstract Task<QuestionEnd> AskAsync(OwnQuestion question, bool hasId, CancellationToken cancellationToken);

    /// <summary>Sends a question once more that is being asked.</summary>
    public abstract Task AskAgainAsync(OwnQuestion question, CancellationToken cancellationToken);

    /// <summary>Cancels on the same connection, or over HTTP for a client that has none of its own.</summary>
    public virtual async Task CancelAsync(OwnQuestion question, HttpCaller http, int node, CancellationToken cancellationToken) =>
        await http.CallAsync(HttpMethod.Post, node, $"/questions/{question.Id}/cancel", "{}", cancellationToken);

    public abstract ValueTask DisposeAsync();
}

internal sealed class V1Asker(V1Client client) : Asker
{
    public override async Task<QuestionEnd> AskAsync(OwnQuestion question, bool hasId, CancellationToken cancellationToken)
    {
        await client.AskAsync(question);
        return await question.Ended.WaitAsync(cancellationToken);
    }

    public override Task AskAgainAsync(OwnQuestion question, CancellationToken cancellationToken) => client.AskAgainAsync(question);

    public override Task CancelAsync(OwnQuestion question, HttpCaller http, int node, CancellationToken cancellationToken) => client.CancelAsync(question.Id);

    public override ValueTask DisposeAsync() => client.DisposeAsync();
}

internal sealed class StreamAsker(StreamClient client) : Asker
{
    public override async Task<QuestionEnd> AskAsync(OwnQuestion question, bool hasId, CancellationToken cancellationToken)
    {
        await client.AskAsync(question, cancellationToken);
        return await question.Ended.WaitAsync(cancellationToken);
    }

    public override Task AskAgainAsync(OwnQuestion question, CancellationToken cancellationToken) => client.AskAgainAsync(question, cancellationToken);

    public override ValueTask DisposeAsync() => client.DisposeAsync();
}

internal sealed class BasicAsker(BasicClient client) : Asker
{
    public override Task<QuestionEnd> AskAsync(OwnQuestion question, bool hasId, CancellationToken cancellationToken) =>
        client.AskAsync(question, hasId, cancellationToken);

    public override Task AskAgainAsync(OwnQuestion question, CancellationToken cancellationToken) => client.AskAgainAsync(question);

    public override ValueTask DisposeAsync() => client.DisposeAsync();
}
