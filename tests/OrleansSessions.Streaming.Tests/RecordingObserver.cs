using Orleans.Streams;

namespace OrleansSessions.Streaming.Tests;

/// <summary>Records what it receives. While closed, it takes the first item and then nothing until it is opened.</summary>
internal sealed class RecordingObserver<T>(string name, bool open = true) : IAsyncObserver<T>, IAsyncBatchObserver<T>
{
    private readonly Lock _lock = new();
    private readonly List<T> _items = [];
    private readonly List<int> _deliveries = [];
    private readonly List<Exception> _errors = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waits = [];
    private readonly TaskCompletionSource _open = Source(open);
    private readonly TaskCompletionSource _entered = Source(false);
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public T[] Items
    {
        get
        {
            lock (_lock)
            {
                return [.. _items];
            }
        }
    }

    /// <summary>The size of each list that it received.</summary>
    public int[] Deliveries
    {
        get
        {
            lock (_lock)
            {
                return [.. _deliveries];
            }
        }
    }

    public void Open() => _open.TrySetResult();

    public Task EnteredAsync() => Deadline.MeetAsync(_entered.Task, $"subscriber '{name}' to receive its first item");

    public Task CountAsync(int count)
    {
        var wait = Source(false);
        lock (_lock)
        {
            _waits.Add((count, wait));
            Signal();
        }

        return Deadline.MeetAsync(wait.Task, $"subscriber '{name}' to have {count} items", Describe);
    }

    public async Task<Exception> ErrorAsync()
    {
        await Deadline.MeetAsync(_failed.Task, $"subscriber '{name}' to receive an error", Describe);
        return await _failed.Task;
    }

    public async Task OnNextAsync(T item, StreamSequenceToken? token = null)
    {
        _entered.TrySetResult();
        await _open.Task;
        await Task.Yield();
        Record([item]);
    }

    public async Task OnNextAsync(IList<SequentialItem<T>> items)
    {
        _entered.TrySetResult();
        await _open.Task;
        Record([.. items.Select(item => item.Item)]);
    }

    public Task OnCompletedAsync() => Task.CompletedTask;

    public Task OnErrorAsync(Exception ex)
    {
        lock (_lock)
        {
            _errors.Add(ex);
        }

        _failed.TrySetResult(ex);
        return Task.CompletedTask;
    }

    private static TaskCompletionSource Source(bool completed)
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (completed)
        {
            source.SetResult();
        }

        return source;
    }

    private void Record(T[] items)
    {
        lock (_lock)
        {
            _items.AddRange(items);
            _deliveries.Add(items.Length);
            Signal();
        }
    }

    private void Signal()
    {
        foreach (var (count, reached) in _waits)
        {
            if (_items.Count >= count)
            {
                reached.TrySetResult();
            }
        }
    }

    private string Describe()
    {
        lock (_lock)
        {
            var errors = string.Join("; ", _errors.Select(error => error.GetType().Name));
            return $"{_items.Count} items, from {_items.FirstOrDefault()} to {_items.LastOrDefault()}, errors [{errors}]";
        }
    }
}
