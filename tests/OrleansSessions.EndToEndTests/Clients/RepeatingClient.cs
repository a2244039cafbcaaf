using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>A client that writes its first line with this event after each change to this state twice.</summary>
internal sealed class RepeatingClient(IClientUnderTest inner, string name, string state) : IClientUnderTest
{
    private bool _isArmed;
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
        _isArmed |= line?.Text("state") == state;
        if (_isArmed && line?.Text("event") == name)
        {
            (_isArmed, _again) = (false, line);
        }

        return line;
    }

    public Task<int> ExitAsync(CancellationToken cancellationToken) => inner.ExitAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
