using Microsoft.Extensions.Logging;
using OrleansSessions.Storage.Sqlite.Files;

namespace OrleansSessions.Storage.Sqlite.Writing;

/// <summary>Deletes some states that have expired, and gives some free pages back, between the operations that somebody waits for.</summary>
/// <param name="ended">Called after the transaction, with true if there is more to do.</param>
internal sealed partial class SweepOperation(Action<bool> ended, ILogger logger) : StateOperation
{
    private const int MaxStates = 100;
    private bool _isMore;

    public override void Execute(StateFile file) => _isMore = (file.States.DeleteExpired(MaxStates) == MaxStates) | file.ReturnFreePages();

    public override void Complete() => ended(_isMore);

    public override void Fail(Exception fault)
    {
        LogMessages.SweepFailed(logger, (fault as SqliteStorageException)?.Fault);
        ended(false);
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "Expired states could not be deleted: {Fault}. It is tried again in a minute.")]
        public static partial void SweepFailed(ILogger logger, SqliteStorageFault? fault);
    }
}
