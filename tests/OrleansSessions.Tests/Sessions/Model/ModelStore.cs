using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Storage;
using OrleansSessions.Grains.Records;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>What becomes of a call of the store.</summary>
internal enum StoreOutcome
{
    Done = 0,

    /// <summary>It fails and has no effect.</summary>
    Refused = 1,

    /// <summary>It has its effect, but its caller gets a fault.</summary>
    ReplyLost = 2,
}

/// <summary>
/// A grain storage for several processes, which outlives them. Every call waits until the test finishes it. Rows hold bytes, so that nothing is shared with
/// whoever wrote them, and each write has an ETag of its own.
/// </summary>
internal sealed class ModelStore
{
    private static readonly Serializer Serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    public static QuestionForms Forms { get; } = new(Serializer.GetSerializer<QuestionState>());

    private const int MostNewChunks = 8;

    private readonly Dictionary<string, (byte[] Bytes, string ETag)> _rows = new(StringComparer.Ordinal);
    private readonly List<Call> _pending = [];
    private readonly Dictionary<object, string?> _lastSeen = [];
    private int _etags;

    /// <summary>True while calls wait; otherwise they are finished in their order as soon as nothing else happens.</summary>
    public bool IsHeld { get; set; }

    /// <summary>How the next calls end; after that they succeed.</summary>
    public Queue<StoreOutcome> Next { get; } = new();

    /// <summary>How many calls failed so far, for any reason.</summary>
    public int Faults { get; private set; }

    public IReadOnlyCollection<string> Keys => _rows.Keys;

    public IEnumerable<Call> PendingOf(object owner) => _pending.Where(call => call.Owner == owner);

    public int PendingCount => _pending.Count;

    /// <summary>The most questions that one page has held.</summary>
    public int LargestPage { get; private set; }

    /// <summary>The most bytes that the questions of one page could count for.</summary>
    public long LargestPageBytes { get; private set; }

    /// <summary>What is stored under a name, or null.</summary>
    public T? Peek<T>(string name)
        where T : class => _rows.TryGetValue(name, out var row) ? Serializer.Deserialize<T>(row.Bytes) : null;

    /// <summary>
    /// The rows that neither the record nor what it names has a name for. The page that comes next may be there, and chunks of the answer that runs: the next
    /// record names them.
    /// </summary>
    public List<string> Unnamed()
    {
        var named = new HashSet<string> { "record" };
        if (Peek<SessionRecord>("record") is { } record)
        {
            Name(record.Ended.Select(Forms.Read).Concat(record.Questions), named);
            var pages = PageIndexForm.Read(record.FirstPage, record.Pages);
            named.Add($"page.{pages.Next}");
            named.UnionWith(Enumerable.Range(record.NextChunk, MostNewChunks).Select(number => $"chunk.{record.Epoch}.{number}"));
            foreach (var page in pages.All)
            {
                named.Add($"page.{page.Number}");
                Name(Peek<PageState>($"page.{page.Number}")?.Ended.Select(Forms.Read) ?? [], named);
            }
        }

        return [.. _rows.Keys.Where(key => !named.Contains(key))];
    }

    /// <summary>The storage as one process sees it.</summary>
    public IGrainStorage Of(object owner) => new Storage(this, owner);

    /// <summary>True if a process has read or written a record that was changed by another since.</summary>
    public bool IsStale(object owner) =>
        _lastSeen.TryGetValue(owner, out var etag) && etag != (_rows.TryGetValue("record", out var row) ? row.ETag : null);

    /// <summary>Finishes one waiting call.</summary>
    public void Finish(Call call, StoreOutcome? outcome = null)
    {
        _pending.Remove(call);
        call.Finish(outcome ?? (Next.TryDequeue(out var next) ? next : StoreOutcome.Done));
    }

    /// <summary>The caller is gone: its call has no effect any more.</summary>
    public void Drop(Call call) => _pending.Remove(call);

    public Call this[int index] => _pending[index];

    private static void Name(IEnumerable<QuestionState> questions, HashSet<string> named)
    {
        foreach (var range in questions.SelectMany(question => question.Chunks ?? []))
        {
            named.UnionWith(Enumerable.Range(range.First, range.Count).Select(number => $"chunk.{range.Epoch}.{number}"));
        }
    }

    /// <summary>A call that waits.</summary>
    internal sealed class Call(ModelStore store, object owner, string text, Action act)
    {
        private readonly TaskCompletionSource _end = new();

        public object Owner { get; } = owner;

        public Task Task => _end.Task;

        public void Finish(StoreOutcome outcome)
        {
            try
            {
                if (outcome != StoreOutcome.Refused)
                {
                    act();
                }

                if (outcome == StoreOutcome.Done)
                {
                    _end.SetResult();
                    return;
                }

                store.Faults++;
                _end.SetException(outcome == StoreOutcome.Refused ? new IOException("The store is not available.") : new TimeoutException("No reply came."));
            }
            catch (InconsistentStateException fault)
            {
                store.Faults++;
                _end.SetException(fault);
            }
        }

        public override string ToString() => text;
    }

    private sealed class Storage(ModelStore store, object owner) : IGrainStorage
    {
        public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            (byte[] Bytes, string ETag)? found = null;
            await Add("read " + stateName, () =>
            {
                found = store._rows.TryGetValue(stateName, out var row) ? row : null;
                Note(stateName);
            });
            grainState.State = found is { } there ? Serializer.Deserialize<T>(there.Bytes) : Activator.CreateInstance<T>();
            (grainState.ETag, grainState.RecordExists) = (found?.ETag, found is not null);
        }

        public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            var (bytes, etag) = (Serializer.SerializeToArray(grainState.State), grainState.ETag);
            if (grainState.State is PageState page)
            {
                store.LargestPage = Math.Max(store.LargestPage, page.Ended.Count);
                store.LargestPageBytes = Math.Max(store.LargestPageBytes, page.Ended.Select(Forms.Read).Sum(question => question.Weight + (3 * question.SavedLength)));
            }

            var written = "";
            await Add("write " + stateName, () =>
            {
                Check(stateName, etag);
                written = $"{++store._etags}";
                store._rows[stateName] = (bytes, written);
                Note(stateName);
            });
            (grainState.ETag, grainState.RecordExists) = (written, true);
        }

        public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            var etag = grainState.ETag;
            await Add("clear " + stateName, () =>
            {
                Check(stateName, etag);
                store._rows.Remove(stateName);
                Note(stateName);
            });
            (grainState.State, grainState.ETag, grainState.RecordExists) = (Activator.CreateInstance<T>(), null, false);
        }

        private void Note(string name)
        {
            if (name == "record")
            {
                store._lastSeen[owner] = store._rows.TryGetValue(name, out var row) ? row.ETag : null;
            }
        }

        private void Check(string name, string? etag)
        {
            var stored = store._rows.TryGetValue(name, out var row) ? row.ETag : null;
            if (stored != etag)
            {
                throw new InconsistentStateException($"{name} has the ETag {stored}, not {etag}.", stored, etag);
            }
        }

        private Task Add(string text, Action act)
        {
            var call = new Call(store, owner, text, act);
            store._pending.Add(call);
            return call.Task;
        }
    }
}
