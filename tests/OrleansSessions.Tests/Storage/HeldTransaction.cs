using OrleansSessions.Storage.Sqlite.Files;
using OrleansSessions.Storage.Sqlite.Writing;

namespace OrleansSessions.Tests.Storage;

/// <summary>An operation that goes on when the test says so.</summary>
internal sealed class HeldTransaction : StateOperation<bool>
{
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _released = new();

    public Task Entered => _entered.Task;

    public async Task ReleaseAsync()
    {
        _released.Set();
        await End;
    }

    protected override bool Execute(StateTable states)
    {
        _entered.SetResult();
        return _released.Wait(TimeSpan.FromSeconds(60)) ? true : throw new TimeoutException("The test never released the transaction.");
    }
}

/// <summary>An operation that fails in the middle of its transaction.</summary>
internal sealed class FailingOperation(Exception fault) : StateOperation<bool>
{
    protected override bool Execute(StateTable states) => throw fault;
}

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
