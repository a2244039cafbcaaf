using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Clients;

/// <summary>A client that reads and writes the lines of docs/conformance.md.</summary>
internal interface IClientUnderTest : IAsyncDisposable
{
    /// <summary>Gives the client one line: a JSON object with <c>do</c>.</summary>
    Task SendAsync(string line);

    /// <summary>Ends the client's input.</summary>
    void EndInput();

    /// <summary>Returns the client's next line, or null if it has ended.</summary>
    ValueTask<Frame?> NextAsync(CancellationToken cancellationToken);

    /// <summary>Waits until the client has ended by itself, and returns its exit code.</summary>
    Task<int> ExitAsync(CancellationToken cancellationToken);

    /// <summary>What the client printed for people.</summary>
    string Remarks { get; }
}
