using Microsoft.Extensions.Logging;
using OrleansSessions.Storage.Sqlite.Files;

namespace OrleansSessions.Storage.Sqlite.Writing;

/// <summary>
/// The thread that owns the file. Read <see cref="Live"/>: it is the whole life, in order. What has gathered while one transaction is written is
/// the next transaction, so the more come at once, the less each of them costs.
/// </summary>
internal sealed partial class StateWriter(SqliteStorageOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>Enough to share the cost of a commit, and few enough that the first of them does not wait long for the last.</summary>
    private const int MaxBatch = 256;

    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMinutes(1);

    private readonly string _path = Path.GetFullPath(options.Path);
    private readonly StateQueue _queue = new();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Thread? _thread;
    private bool _isSweeping;
    private long _transactions;

    /// <summary>The number of transactions that were committed.</summary>
    public long Transactions => Volatile.Read(ref _transactions);

    /// <summary>How many operations wait for the next transactions.</summary>
    public int Waiting => _queue.Count;

    /// <summary>Opens the file. Safe to call more than once.</summary>
    /// <exception cref="SqliteStorageException">The file cannot be used.</exception>
    public Task StartAsync()
    {
        // A thread of its own, because it waits for a disk: a thread of the pool would be missing for everything else.
        var thread = new Thread(Live) { IsBackground = true, Name = $"SQLite {Path.GetFileName(_path)}" };
        if (Interlocked.CompareExchange(ref _thread, thread, null) is null)
        {
            thread.Start();
        }

        return _opened.Task;
    }

    /// <summary>Writes what waits, and closes the file. Operations that come later fail.</summary>
    public Task StopAsync()
    {
        _queue.Close();
        return _thread is null ? Task.CompletedTask : _closed.Task;
    }

    /// <summary>Runs an operation in the next transaction, and waits until that is committed.</summary>
    /// <exception cref="SqliteStorageException">The file is not open, or the transaction has failed, and nothing of it was written.</exception>
    public async Task<T> RunAsync<T>(StateOperation<T> operation)
    {
        if (!await _queue.AddAsync(operation))
        {
            throw new SqliteStorageException(SqliteStorageFault.NotOpen, _path);
        }

        return await operation.End;
    }

    /// <summary>Runs an operation that nobody waits for, however many wait.</summary>
    /// <returns>False if the file is not open.</returns>
    public bool TryRun(StateOperation operation) => _queue.TryAdd(operation);

    public void Dispose()
    {
        _queue.Close();
        _thread?.Join();
        _queue.Dispose();
    }

    private void Live()
    {
        // 1. Open. Who starts the silo is told why if that fails.
        StateFile file;
        try
        {
            file = StateFile.Open(_path, options, time);
        }
        catch (Exception fault)
        {
            _opened.SetException(fault);
            _closed.SetResult();
            return;
        }

        LogMessages.Opened(logger, _path);
        using var sweeps = time.CreateTimer(_ => Sweep(), null, SweepPeriod, SweepPeriod);
        _queue.Open();
        _opened.SetResult();

        // 2. Write what has gathered, until the queue is closed and empty.
        var batch = new List<StateOperation>(MaxBatch);
        while (_queue.Take(batch, MaxBatch))
        {
            Write(file, batch);
            batch.Clear();
        }

        // 3. Close.
        sweeps.Dispose();
        file.Dispose();
        LogMessages.Closed(logger, _path);
        _closed.SetResult();
    }

    private void Write(StateFile file, List<StateOperation> batch)
    {
        Exception? fault = null;
        try
        {
            file.Begin();
            foreach (var operation in batch)
            {
                operation.Execute(file);
            }

            file.Commit();
            Volatile.Write(ref _transactions, _transactions + 1);
        }
        catch (Exception exception)
        {
            fault = exception;
            file.Rollback();
        }

        var places = 0;
        foreach (var operation in batch)
        {
            if (fault is null)
            {
                operation.Complete();
            }
            else
            {
                operation.Fail(fault);
            }

            places += operation.HasPlace ? 1 : 0;
        }

        _queue.Free(places);
    }

    /// <summary>Starts a sweep, unless one has not ended.</summary>
    private void Sweep()
    {
        if (!Interlocked.Exchange(ref _isSweeping, true))
        {
            GoOnSweeping(isMore: true);
        }
    }

    private void GoOnSweeping(bool isMore)
    {
        if (!isMore || !TryRun(new SweepOperation(GoOnSweeping, logger)))
        {
            Volatile.Write(ref _isSweeping, false);
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "States are kept in {Path}.")]
        public static partial void Opened(ILogger logger, string path);

        [LoggerMessage(2, LogLevel.Debug, "{Path} is closed.")]
        public static partial void Closed(ILogger logger, string path);
    }
}
