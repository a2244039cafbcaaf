using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>The log that a <see cref="LogCursor"/> reads.</summary>
internal interface ILogSource
{
    Task<LogPiece> ReadAsync(long epoch, long afterSeq);

    /// <summary>Sends what the sink has written, and waits while the client has too much to read. Called outside the gate.</summary>
    Task FlushAsync();

    /// <summary>Live events found no room and were left in the log. Called under the gate.</summary>
    void OnBehind();
}

/// <summary>Reads the log for one cursor, piece by piece, until the cursor has reached the head. A failed read is repeated, at growing intervals.</summary>
internal sealed class LogReader(ILogSource log, TimeProvider clock, Action<Exception> onFailed)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    /// <summary>Reads until the cursor needs nothing more. Never throws.</summary>
    public async Task ReadAsync(LogCursor cursor)
    {
        // The caller holds the gate, and can be the one thread that delivers the items of all connections.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var retry = FirstRetry;
        while (true)
        {
            // Before a read and after the last one: what is read must have room, and what was read must leave.
            await log.FlushAsync();
            if (cursor.NextRead() is not { } read)
            {
                return;
            }

            try
            {
                cursor.Take(read.Life, await log.ReadAsync(read.Epoch, read.AfterSeq));
                retry = FirstRetry;
            }
            catch (Exception fault)
            {
                onFailed(fault);
                await Task.Delay(retry, clock);
                retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
            }
        }
    }
}
