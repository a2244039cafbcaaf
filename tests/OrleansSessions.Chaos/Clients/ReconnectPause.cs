using System.Text.Json;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Clients;

/// <summary>
/// How long a client waits before it connects again, as section 12 of the protocol says. Basic clients get no <c>hello</c>, and take what it advises the others here.
/// </summary>
internal sealed class ReconnectPause(Random random)
{
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    private double _min = 250;
    private double _max = 3_000;
    private int _attempts = -1;

    /// <summary>The wait before the next attempt: none before the first one.</summary>
    public TimeSpan Next()
    {
        var attempt = _attempts++;
        return attempt < 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(random.NextDouble() * Math.Min(_max, _min * Math.Pow(2, attempt)));
    }

    public void OnHello(JsonElement hello)
    {
        if (hello.TryGetProperty("reconnect", out var reconnect))
        {
            (_min, _max) = (reconnect.Number("min_ms") ?? _min, reconnect.Number("max_ms") ?? _max);
        }
    }

    public void OnEnd(TimeSpan open)
    {
        if (open >= Settled)
        {
            _attempts = 0;
        }
    }
}
