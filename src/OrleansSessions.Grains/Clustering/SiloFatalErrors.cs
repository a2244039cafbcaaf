namespace OrleansSessions.Grains.Clustering;

/// <summary>
/// Takes the errors after which Orleans does not go on: most often another silo says first that this one is dead. Orleans itself aborts the process after 2 s,
/// which cuts its sockets without a word and can come before <see cref="MembershipWatch"/> has ended it in order.
/// </summary>
internal sealed class SiloFatalErrors(EvictedProcess process) : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender, string? context, Exception? exception) =>
        process.EndAsync(context ?? "Orleans cannot go on.", exception, CancellationToken.None).Ignore();
}
