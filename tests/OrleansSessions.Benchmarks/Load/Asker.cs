namespace OrleansSessions.Benchmarks.Load;

/// <summary>The number of pieces and frames of one answer.</summary>
/// <param name="Pieces">The number of pieces from the responder, however they were packed into frames.</param>
/// <param name="Frames">The number of WebSocket messages that contained them.</param>
internal readonly record struct AnswerShape(int Pieces, int Frames);

/// <summary>A client with one socket that asks one question at a time and checks each answer byte by byte.</summary>
/// <param name="token">The token of the caller, or null for an anonymous one.</param>
internal abstract class Asker(Uri address, string? token = null) : IDisposable
{
    protected FrameSocket Socket { get; } = new(address, token);

    /// <summary>Opens the socket and waits for the frames that the server sends unasked.</summary>
    public async Task AttachAsync(CancellationToken cancellationToken)
    {
        await Socket.ConnectAsync(cancellationToken);
        await GreetAsync();
    }

    /// <exception cref="WrongAnswerException">The answer is not the question.</exception>
    public abstract ValueTask<AnswerShape> AskAsync();

    public Task CloseAsync() => Socket.CloseAsync();

    public void Dispose() => Socket.Dispose();

    protected virtual Task GreetAsync() => Task.CompletedTask;
}
