namespace OrleansSessions.Storage.Sqlite.Writing;

/// <summary>
/// The operations that wait for the thread of the file, in order. When as many wait as fit, callers wait until some are done, without a thread.
/// <para>
/// The thread is called by way of the thread pool. There the call waits behind the work that is ready, which is where more operations come from: a
/// busy silo gathers them in one transaction, and an idle one does not wait. Called directly, the thread would write nearly each of them alone.
/// </para>
/// </summary>
internal sealed class StateQueue : IThreadPoolWorkItem, IDisposable
{
    /// <summary>More than any number of operations that helps to fill a transaction; with records of 3 KB, 3 MB.</summary>
    private const int Capacity = 1024;

    private readonly SemaphoreSlim _places = new(Capacity);
    private readonly object _gate = new();
    private readonly Queue<StateOperation> _waiting = [];
    private bool _isOpen;
    private bool _isClosed;
    private bool _isCalling;
    private bool _isCalled;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Lets operations in, unless the queue was closed before.</summary>
    public void Open()
    {
        lock (_gate)
        {
            _isOpen = !_isClosed;
        }
    }

    /// <summary>Lets nothing more in. What waits is still taken.</summary>
    public void Close()
    {
        lock (_gate)
        {
            (_isOpen, _isClosed) = (false, true);
            Monitor.Pulse(_gate);
        }
    }

    /// <returns>False if the queue is closed.</returns>
    public async ValueTask<bool> AddAsync(StateOperation operation)
    {
        await _places.WaitAsync();
        operation.HasPlace = true;
        if (TryAdd(operation))
        {
            return true;
        }

        _places.Release();
        return false;
    }

    /// <summary>Adds an operation that takes no place.</summary>
    /// <returns>False if the queue is closed.</returns>
    public bool TryAdd(StateOperation operation)
    {
        lock (_gate)
        {
            if (!_isOpen)
            {
                return false;
            }

            _waiting.Enqueue(operation);
            if (_isCalling)
            {
                return true;
            }

            _isCalling = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    /// <summary>Calls the thread of the file.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        lock (_gate)
        {
            (_isCalling, _isCalled) = (false, true);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for operations and takes them into an empty list. Only one thread may do this.</summary>
    /// <returns>False if the queue is closed and empty.</returns>
    public bool Take(List<StateOperation> batch, int max)
    {
        lock (_gate)
        {
            while (_isOpen && !(_isCalled && _waiting.Count > 0))
            {
                Monitor.Wait(_gate);
            }

            while (batch.Count < max && _waiting.TryDequeue(out var operation))
            {
                batch.Add(operation);
            }

            // What is left over needs no other call.
            _isCalled = _waiting.Count > 0;
            return batch.Count > 0;
        }
    }

    /// <summary>Frees the places of operations that are done.</summary>
    public void Free(int places)
    {
        if (places > 0)
        {
            _places.Release(places);
        }
    }

    public void Dispose() => _places.Dispose();
}
