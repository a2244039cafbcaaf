using System.Reflection;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Tests.SocketGateway;
using Orleans.Timers;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>
/// One activation of the session's grain, as Orleans runs it: one call at a time, timers and what was awaited in between, and the end after the call that runs.
/// </summary>
internal sealed class ModelActivation : IGrainContext
{
    public static readonly GrainId Id = GrainId.Create("orleanssessions.session", "/s");

    private static readonly SetContext Enter = ContextMethod("SetExecutionContext").CreateDelegate<SetContext>();
    private static readonly Action<IGrainContext?> Exit = ContextMethod("ResetExecutionContext").CreateDelegate<Action<IGrainContext?>>();

    private readonly ModelNode _node;
    private readonly ModelTimers _timers;
    private readonly Queue<ModelCall> _waiting = new();
    private readonly ServiceTable _services;
    private SessionGrain? _grain;
    private ModelCall? _current;
    private Stage _stage;
    private bool _mustLeave;

    public ModelActivation(ModelNode node)
    {
        _node = node;
        _timers = new ModelTimers(node.Turns, node.Time);
        _services = new ServiceTable(node.Services)
        {
            [typeof(ITimerRegistry)] = _timers,
        };
        _services[typeof(IGrainRuntime)] = Stub.Of<IGrainRuntime>((method, _) =>
            method.Name == "get_TimerRegistry" ? _timers : throw new NotSupportedException(method.Name));
        node.Turns.QueueAction(() => ActivateAsync().Ignore());
    }

    private delegate void SetContext(IGrainContext? context, out IGrainContext? before);

    private enum Stage
    {
        Activating,
        Active,
        Leaving,
        Gone,
    }

    public bool IsGone => _stage == Stage.Gone;

    public bool IsLeaving => _stage == Stage.Leaving;

    /// <summary>True while no call waits or runs, and it is neither on its way in nor out.</summary>
    public bool IsIdle => _stage == Stage.Active && _current is null && _waiting.Count == 0 && !_mustLeave;

    public GrainId GrainId => Id;

    public object? GrainInstance => _grain;

    public IServiceProvider ActivationServices => _services;

    public IWorkItemScheduler Scheduler => _node.Turns;

    public GrainReference GrainReference => throw new NotSupportedException();

    public ActivationId ActivationId => throw new NotSupportedException();

    public GrainAddress Address => throw new NotSupportedException();

    public IGrainLifecycle ObservableLifecycle => throw new NotSupportedException();

    public Task Deactivated => throw new NotSupportedException();

    public void Add(ModelCall call) => _waiting.Enqueue(call);

    /// <summary>The calls that have not begun. Orleans forwards them to the next activation.</summary>
    public List<ModelCall> TakeWaiting()
    {
        List<ModelCall> waiting = [.. _waiting];
        _waiting.Clear();
        return waiting;
    }

    /// <summary>The callers are gone, or wait no longer: what it replies from now on reaches no one.</summary>
    public void LoseCallers()
    {
        _current?.Lose();
        foreach (var call in _waiting)
        {
            call.Lose();
        }
    }

    public void FireDueTimers() => _timers.FireDue();

    /// <summary>Begins what can begin now. True if there was something.</summary>
    public bool Advance()
    {
        if (_stage != Stage.Active || _current is not null)
        {
            return false;
        }

        if (_mustLeave)
        {
            _stage = Stage.Leaving;
            _node.Turns.QueueAction(() => LeaveAsync().Ignore());
            return true;
        }

        if (_waiting.TryDequeue(out var call))
        {
            _current = call;
            _node.Turns.QueueAction(() => RunAsync(call).Ignore());
            return true;
        }

        return false;
    }

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default) => _mustLeave = true;

    public void SetComponent<TComponent>(TComponent? value)
        where TComponent : class => throw new NotSupportedException();

    public void ReceiveMessage(object message) => throw new NotSupportedException();

    public void Activate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public void Rehydrate(IRehydrationContext context) => throw new NotSupportedException();

    public void Migrate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public object? GetTarget() => _grain;

    public object? GetComponent(Type componentType) => null;

    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => Id.GetHashCode();

    /// <summary>The context of a grain is set while it is constructed; only Orleans may.</summary>
    private static MethodInfo ContextMethod(string name) =>
        typeof(IGrainContext).Assembly.GetType("Orleans.Runtime.RuntimeContext", throwOnError: true)!
            .GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;

    private async Task ActivateAsync()
    {
        try
        {
            Enter(this, out var before);
            try
            {
                _grain = _node.CreateGrain();
            }
            finally
            {
                Exit(before);
            }

            await _grain.OnActivateAsync(CancellationToken.None);
            _stage = Stage.Active;
        }
        catch (Exception fault)
        {
            _stage = Stage.Gone;
            _timers.Stop();
            _node.NoteFault(fault);
            TakeWaiting().ForEach(call => call.Fail(fault));
        }
    }

    private async Task RunAsync(ModelCall call)
    {
        try
        {
            await call.RunAsync(_grain!);
        }
        catch (Exception fault)
        {
            _node.NoteFault(fault);
        }
        finally
        {
            _current = null;
        }
    }

    private async Task LeaveAsync()
    {
        _timers.Stop();
        try
        {
            await _grain!.OnDeactivateAsync(new(DeactivationReasonCode.ActivationIdle, ""), CancellationToken.None);
        }
        catch (Exception fault)
        {
            _node.NoteFault(fault);
        }

        _stage = Stage.Gone;
    }
}
