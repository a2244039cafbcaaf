using OrleansSessions.Storage.Sqlite.Files;
using OrleansSessions.Storage.Sqlite.Writing;

namespace OrleansSessions.Tests.Storage;

/// <summary>Reads the size of the file.</summary>
internal sealed class CountPages : StateOperation
{
    private readonly TaskCompletionSource<long> _pages = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _counted;

    public Task<long> Pages => _pages.Task;

    public override void Execute(StateFile file) => _counted = file.Pages;

    public override void Complete() => _pages.SetResult(_counted);

    public override void Fail(Exception fault) => _pages.SetException(fault);
}
