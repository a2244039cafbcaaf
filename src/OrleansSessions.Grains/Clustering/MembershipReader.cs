using Microsoft.Extensions.Logging;

namespace OrleansSessions.Grains.Clustering;

/// <summary>Reads the membership table from its store.</summary>
internal sealed partial class MembershipReader(IMembershipTable table, ILogger<MembershipReader> logger)
{
    /// <exception cref="Exception">The store cannot be reached.</exception>
    public Task<MembershipTableData> ReadAsync(CancellationToken cancellationToken) => table.ReadAllAsync(cancellationToken).WaitAsync(cancellationToken);

    /// <summary>Null where the store cannot be reached: that says nothing about this silo.</summary>
    public async Task<MembershipTableData?> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(cancellationToken);
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
            LogMessages.NotRead(logger, fault.GetType().Name);
            return null;
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "The membership table could not be read ({Fault}); nothing is concluded from that")]
        public static partial void NotRead(ILogger logger, string fault);
    }
}
