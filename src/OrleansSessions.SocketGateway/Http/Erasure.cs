using OrleansSessions.Scopes;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Removes all sessions of a scope, and then its index.</summary>
/// <param name="access">Must allow to administer.</param>
internal sealed class Erasure(SessionHttp http, SessionAccess access, CancellationToken cancellationToken)
{
    private const int Page = 100;

    // Removing a session is a few grain calls and a write, and other callers are served meanwhile.
    private const int MaxRemovals = 8;

    // More than any index has pages. A scope in which sessions are asked as fast as they are removed would never be empty.
    private const int MaxRounds = 200;

    private readonly IScopeIndexGrain _index = http.Grains.IndexOf(access.Scope);
    private int _removed;

    /// <summary>The number of sessions that were removed, also after a fault.</summary>
    public int Removed => Volatile.Read(ref _removed);

    /// <summary>True once nothing is left.</summary>
    public bool IsComplete { get; private set; }

    /// <returns>False if sessions were asked for the first time as fast as others were removed.</returns>
    public async Task<bool> RunAsync()
    {
        for (var round = 0; round < MaxRounds && !IsComplete; round++)
        {
            var page = await _index.ListAsync(new() { Limit = Page });
            if (page.Sessions.Length > 0)
            {
                await RemoveAsync(page.Sessions);
            }
            else
            {
                // A session that was asked since the list was read has its entry, and is found in the next round.
                IsComplete = (await _index.EraseAsync(new())).IsErased;
            }
        }

        return IsComplete;
    }

    private async Task RemoveAsync(ListedSession[] sessions)
    {
        var bounded = new ParallelOptions { MaxDegreeOfParallelism = MaxRemovals, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(sessions, bounded, async (session, _) =>
        {
            await http.Grains.Get(access.KeyOf(session.SessionId)).RemoveAsync(new());
            Interlocked.Increment(ref _removed);
        });

        // A session that was gone already has not removed its entry. One that was asked again since has another entry, which the next round finds.
        await _index.RemoveAsync(RemoveSessionsRequest.For(sessions));
    }
}
