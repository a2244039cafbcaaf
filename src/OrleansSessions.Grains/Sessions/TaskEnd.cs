using System.Runtime.CompilerServices;

namespace OrleansSessions.Grains.Sessions;

internal static class TaskEnd
{
    /// <summary>Waits until a task has ended, in whichever way: its fault belongs to whoever began it.</summary>
    public static ConfiguredTaskAwaitable UntilEnd(this Task task) =>
        task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
}
