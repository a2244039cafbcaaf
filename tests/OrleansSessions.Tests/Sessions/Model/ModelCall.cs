using OrleansSessions.Sessions;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>One call of the session's grain, and what its caller learns of it.</summary>
internal abstract class ModelCall
{
    protected bool IsLost { get; private set; }

    public abstract Task RunAsync(ISessionGrain grain);

    /// <summary>The caller never learns what became of it.</summary>
    public void Lose()
    {
        if (!IsLost)
        {
            IsLost = true;
            Fail(null);
        }
    }

    /// <summary>The call has ended with a fault, or null where no reply came. It may have had its effect, or may still have it.</summary>
    public abstract void Fail(Exception? fault);
}

/// <inheritdoc/>
internal sealed class ModelCall<T>(Func<ISessionGrain, Task<T>> call, Action<T> onReply, Action<Exception?> onFault) : ModelCall
{
    public override async Task RunAsync(ISessionGrain grain)
    {
        T reply;
        try
        {
            reply = await call(grain);
        }
        catch (Exception fault)
        {
            if (!IsLost)
            {
                Fail(fault);
            }

            return;
        }

        if (!IsLost)
        {
            onReply(reply);
        }
    }

    public override void Fail(Exception? fault) => onFault(fault);
}
