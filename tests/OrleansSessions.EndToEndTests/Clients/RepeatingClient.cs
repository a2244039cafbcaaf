using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>A client that shows the first piece after each lost connection twice.</summary>
internal sealed class RepeatingClient(IClientUnderTest inner) : IClientUnderTest
{
    private bool _isBack;
    private Frame? _again;

    public string Remarks => inner.Remarks;

    public Task SendAsync(string line) => inner.SendAsync(line);

    public void EndInput() => inner.EndInput();

    public async ValueTask<Frame?> NextAsync(CancellationToken cancellationToken)
    {
        if (_again is { } again)
        {
            _again = null;
            return again;
        }

        var line = await inner.NextAsync(cancellationToken);
        _isBack |= line?.Text("state") == "reconnecting";
        if (_isBack && line?.Text("event") == "text")
        {
            (_isBack, _again) = (false, line);
        }

        return line;
    }

    public Task<int> ExitAsync(CancellationToken cancellationToken) => inner.ExitAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
