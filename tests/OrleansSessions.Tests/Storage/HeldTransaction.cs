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
