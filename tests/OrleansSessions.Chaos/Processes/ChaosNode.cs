using OrleansSessions.Chaos.Checks;
using OrleansSessions.Chaos.Proxies;
using OrleansSessions.Chaos.Results;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.Chaos.Processes;

/// <summary>The state of a node.</summary>
internal enum NodeState
{
    /// <summary>Its process has ended, or has not started yet.</summary>
    Down,
    Up,
    Frozen,
    Draining,
}

/// <summary>A server that is started again whenever it ends, like under a supervisor, and the proxy in front of it.</summary>
internal sealed class ChaosNode(int number, Func<Task<ServerProcess>> start, RunClock clock, Counts counts, Findings findings) : IAsyncDisposable
{
    private const int KilledCode = 137;
    private const int EvictedCode = 3;
    private const int KeptOutputs = 6;
    private const int MaxFailedStarts = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <summary>A node that was declared dead is gone this long after it goes on.</summary>
    private static readonly TimeSpan EvictionTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Forever = TimeSpan.FromDays(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<(TimeSpan Until, string Output)> _outputs = [];
    private ServerProcess? _process;
    private Task _running = Task.CompletedTask;
    private TaskCompletionSource _ended = new();
    private TimeSpan _pause = Pause;

    public int Number { get; } = number;

    public string Name => $"node {Number}";

    /// <summary>The proxy that clients connect to.</summary>
    public FaultProxy Proxy { get; } = new(readsNames: true);

    public NodeState State { get; private set; }

    /// <summary>When the last start was complete.</summary>
    public TimeSpan UpSince { get; private set; }

    /// <summary>What the last processes printed, each with the time of its end.</summary>
    public IEnumerable<string> Outputs => _outputs.Select(life => $"---- {Name}, until {life.Until}\n{life.Output}").Append($"---- {Name}, now\n{_process?.Output}");

    public void Start() => _running = SuperviseAsync();

    /// <param name="pause">How long the supervisor waits before it starts the node again.</param>
    public void Kill(TimeSpan pause)
    {
        (_pause, State) = (pause, NodeState.Down);
        _process!.Kill();
    }

    public void Freeze()
    {
        State = NodeState.Frozen;
        _process!.Freeze();
    }

    /// <summary>Continues a frozen node, and waits until it is known whether it stays. If the others have declared it dead, it ends by itself.</summary>
    public async Task ThawAsync()
    {
        var ended = _ended.Task;
        _process!.Thaw();
        await Task.WhenAny(ended, Task.Delay(EvictionTime, TimeProvider.System, _stop.Token));
        if (State == NodeState.Frozen && !ended.IsCompleted)
        {
            State = NodeState.Up;
        }
    }

    /// <summary>Tells the node to stop, and waits until it has ended.</summary>
    public async Task DrainAsync(TimeSpan pause)
    {
        var (process, ended) = (_process!, _ended.Task);
        (_pause, State) = (pause, NodeState.Draining);
        try
        {
            if (await process.StopAsync() is not 0 and var code)
            {
                findings.Add(new(FindingKind.Wrong, Name, $"A drained process ended with {code}.\n{process.Output}"));
            }
        }
        catch (TimeoutException stuck)
        {
            findings.Add(new(FindingKind.Stuck, Name, stuck.Message));
            process.Kill();
        }

        await ended;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _process?.Kill();
        await _running;
        await Proxy.DisposeAsync();
    }

    private async Task SuperviseAsync()
    {
        for (var failed = 0; !_stop.IsCancellationRequested;)
        {
            try
            {
                _process = await start();
                failed = 0;
            }
            catch (Exception fault) when (fault is TimeoutException or InvalidOperationException)
            {
                counts.Add(CountNames.FailedStarts);
                if (++failed == MaxFailedStarts)
                {
                    findings.Add(new(FindingKind.Stuck, Name, $"{failed} starts in a row failed. {fault.Message}"));
                }

                await RunClock.DelayAsync(Pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            await ServeAsync(_process);
        }
    }

    private async Task ServeAsync(ServerProcess process)
    {
        counts.Add(CountNames.Starts);
        _ended = new();
        (Proxy.Target, UpSince, State) = (process.Address.Port, clock.Now, NodeState.Up);
        if (_stop.IsCancellationRequested)
        {
            process.Kill();
        }

        var code = await process.ExitAsync(Forever);
        Proxy.Target = null;
        if (!_stop.IsCancellationRequested)
        {
            Judge(code, process.Output);
        }

        State = NodeState.Down;
        Keep(process.Output);
        await process.DisposeAsync();
        _ended.SetResult();
        await RunClock.DelayAsync(_pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _pause = Pause;
    }

    // A node that lost its membership has to end with its own code, whether the run froze it or the machine was too slow.
    private void Judge(int code, string output)
    {
        var isExpected = State switch
        {
            NodeState.Down => code == KilledCode,
            NodeState.Draining => true,
            _ => code == EvictedCode,
        };
        if (code == EvictedCode)
        {
            counts.Add(CountNames.Evictions);
        }

        if (!isExpected)
        {
            findings.Add(new(FindingKind.Wrong, Name, $"The process ended with {code} while it was {State}.\n{output}"));
        }
    }

    private void Keep(string output)
    {
        lock (_outputs)
        {
            _outputs.Enqueue((clock.Now, output));
            if (_outputs.Count > KeptOutputs)
            {
                _outputs.Dequeue();
            }
        }
    }
}
