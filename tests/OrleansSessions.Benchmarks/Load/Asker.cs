namespace OrleansSessions.Benchmarks.Load;

/// <summary>What one answer took to arrive.</summary>
/// <param name="Pieces">How many pieces the responder made, however they were packed on the way.</param>
/// <param name="Frames">How many WebSocket messages they came in.</param>
internal readonly record struct AnswerShape(int Pieces, int Frames);

/// <summary>One client with one socket, which asks one question at a time and checks each answer byte by byte.</summary>
internal abstract class Asker(Uri address) : IDisposable
{
    protected FrameSocket Socket { get; } = new(address);

    /// <summary>Opens the socket and waits until the server has said all that it says unasked.</summary>
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
