using Microsoft.Extensions.Logging;
using OrleansSessions.Grains.States;

namespace OrleansSessions.Grains.Clustering;

/// <summary>Reads the membership table from its store.</summary>
internal sealed partial class MembershipReader(IMembershipTable table, StoredStates states, ILogger<MembershipReader> logger)
{
    private bool _hasFailed;

    /// <exception cref="Exception">The store cannot be reached.</exception>
    public Task<MembershipTableData> ReadAsync(CancellationToken cancellationToken) => table.ReadAllAsync(cancellationToken).WaitAsync(cancellationToken);

    /// <summary>Null where the store cannot be reached: that says nothing about this silo.</summary>
    public async Task<MembershipTableData?> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var read = await ReadAsync(cancellationToken);
            _hasFailed = false;
            return read;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return await TryRecreateAsync(cancellationToken);
        }
    }

    /// <summary>
    /// A provider may fail on a table that is gone just as on a store that cannot be reached; Redis does. Only in a store that is there can the table be
    /// created, as every silo that starts would do.
    /// </summary>
    private async Task<MembershipTableData?> TryRecreateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await table.InitializeMembershipTableAsync(tryInitTableVersion: true, cancellationToken).WaitAsync(cancellationToken);
            return await ReadAsync(cancellationToken);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            // The table is often in the store of the sessions. Then the outage of that says it, also where no session writes.
            if (!await states.Watch.IsAwayAsync(fault) && !_hasFailed)
            {
                _hasFailed = true;
                LogMessages.NotRead(logger, fault.GetType().Name);
            }

            return null;
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "The membership table could not be read ({Fault}); nothing is concluded from that, and it is read again")]
        public static partial void NotRead(ILogger logger, string fault);
    }
}
