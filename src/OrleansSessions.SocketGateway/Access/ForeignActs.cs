namespace OrleansSessions.SocketGateway.Access;

/// <summary>What a caller did in another scope. Repeated ones are equal.</summary>
/// <param name="Who">The caller as the log names it.</param>
/// <param name="Route">The method and the route, without ids.</param>
internal sealed record ForeignAct(string Who, string? Issuer, string Scope, string Route);

/// <summary>
/// Counts acts in other scopes, so that a back end with many requests does not fill the log: in a minute, the first of each kind is written, and the others
/// are counted. Thread-safe.
/// </summary>
internal sealed class ForeignActs(TimeProvider clock)
{
    // The same number as for refusals. It also limits the memory.
    private const int MaxActs = 600;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ForeignAct, int> _repeats = [];
    private long _windowStart = clock.GetTimestamp();
    private int _others;

    /// <summary>Counts an act.</summary>
    /// <param name="ended">If a minute has ended: what was repeated in it and how often, and how many acts were too many to be told apart (null).</param>
    /// <returns>True if this act is to be written.</returns>
    public bool IsFirst(ForeignAct act, out List<(ForeignAct? Act, int Repeats)> ended)
    {
        lock (_gate)
        {
            ended = [];
            var now = clock.GetTimestamp();
            if (clock.GetElapsedTime(_windowStart, now) >= Window)
            {
                ended.AddRange(_repeats.Where(known => known.Value > 0).Select(known => ((ForeignAct?)known.Key, known.Value)));
                if (_others > 0)
                {
                    ended.Add((null, _others));
                }

                _repeats.Clear();
                (_windowStart, _others) = (now, 0);
            }

            if (_repeats.TryGetValue(act, out var repeats))
            {
                _repeats[act] = repeats + 1;
                return false;
            }

            if (_repeats.Count == MaxActs)
            {
                _others++;
                return false;
            }

            _repeats.Add(act, 0);
            return true;
        }
    }
}
