using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Records;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// One session in the grain storage: its record, its pages, and the chunks of its running answer. Each call is one step; <see cref="SessionStore"/> orders them.
/// </summary>
internal sealed partial class StoredSession
{
    /// <summary>
    /// How much the record holds of ended questions before a page takes it, in bytes. A record is written twice for each question, and a page once: so a
    /// question and an answer of 2 KB leave the record at once, and short ones gather.
    /// </summary>
    private const long MaxBytesInRecord = 3 * 1024;

    /// <summary>About what an ended question takes besides its text: its numbers and times. Without it some fifty questions of a few words would gather.</summary>
    private const long BytesAroundText = 160;

    private readonly SessionActivation _activation;
    private readonly Session _session;
    private readonly RecordWriter _record;
    private readonly PageWriter _pages;
    private readonly SessionReader _reader;
    private readonly SlotCleaner _cleaner;
    private readonly QuestionForms _forms;

    // What the store still holds, but the next record does not name any more.
    private readonly List<EndedPage> _unnamedPages = [];
    private readonly List<ChunkRange> _unnamedChunks = [];
    private Task _cleaning = Task.CompletedTask;

    // The pages change more rarely than the record is written.
    private (int First, int Next, byte[] Bytes) _pagesForm = (0, 0, []);

    public StoredSession(SessionActivation activation, Session session, SessionSlots slots)
    {
        (_activation, _session) = (activation, session);
        _record = new RecordWriter(slots.Record(), session.Log.Epoch);
        _pages = new PageWriter(slots, session.Log.Epoch);
        _reader = new SessionReader(slots);
        _cleaner = new SlotCleaner(slots);
        _forms = slots.Forms;
        Checkpoints = new AnswerCheckpoints(activation, session, slots);
    }

    public AnswerCheckpoints Checkpoints { get; }

    /// <summary>What is stored of the session, or null. Where its removal was interrupted, that is completed.</summary>
    public async Task<SavedSession?> LoadAsync()
    {
        var record = await _record.ReadAsync();
        if (record is { IsRemoved: true })
        {
            await RemoveAllAsync(record);
            return null;
        }

        if (record is not { Epoch: > 0 })
        {
            return null;
        }

        var pages = PageIndexForm.Read(record.FirstPage, record.Pages);
        var nextPage = _pages.PrepareAsync(pages.Next);
        var saved = await _reader.ReadAsync(record, pages, _activation.Options);
        await nextPage;
        if (saved.Open.Count == 0)
        {
            // Otherwise a new epoch begins, and its chunks count from 0.
            Checkpoints.Next = record.NextChunk;
        }

        return saved;
    }

    /// <summary>Reads the pages that are not in memory.</summary>
    public async Task LoadOlderAsync()
    {
        var reads = _session.Ended.Pages.All.Where(page => !page.IsLoaded)
            .Select(async page => (page, await _reader.ReadPageAsync(page))).ToList();
        _session.TakeOlder(await Task.WhenAll(reads));
    }

    /// <summary>Writes the record as the session is now.</summary>
    /// <returns>The head of the log that is in the store now.</returns>
    public async Task<long> WriteAsync()
    {
        await Checkpoints.SaveLongTextsAsync();

        // In one turn from here to the write.
        var head = _session.Log.Head;
        TakeForgotten();
        var record = ToRecord();
        _session.Log.MarkTaken();
        await _record.WriteAsync(record);
        if (_unnamedPages.Count > 0 || _unnamedChunks.Count > 0)
        {
            _cleaning = CleanAsync(_cleaning, _session.Born, [.. _unnamedPages], [.. _unnamedChunks]);
            _unnamedPages.Clear();
            _unnamedChunks.Clear();
        }

        return head;
    }

    /// <summary>True where the store can have something that this activation has taken back.</summary>
    public bool IsUncertain => _record.IsUncertain;

    /// <summary>Makes the store hold what this activation does.</summary>
    public Task ReconcileAsync() => _session.IsKnown ? WriteAsync() : _record.ClearAsync();

    /// <summary>True if the record holds enough of ended questions for a page.</summary>
    public bool NeedsPage => _session.Ended.BytesInRecord + (_session.Ended.CountInRecord * BytesAroundText) >= MaxBytesInRecord;

    /// <summary>
    /// Moves what the record holds of ended questions into a page. The next record leaves it out. Where that fails, the record keeps it,
    /// and the next end tries again.
    /// </summary>
    public async Task WritePageAsync()
    {
        List<Question> questions = [.. _session.Ended.InRecord];
        var number = _session.Ended.Pages.Next;
        try
        {
            await _pages.WriteAsync(number, new()
            {
                Born = _session.Born,
                Ended = questions.ConvertAll(_forms.Write),
                HasChunks = questions.Exists(static question => question.Saved is not null),
            });
        }
        catch (StoreUnavailableException)
        {
            return;
        }
        catch (Exception fault)
        {
            // If another activation wrote it, the next record shows whose the session is.
            LogMessages.NoPage(_activation.Logger, _activation.Key, number, LoggedException.Of(fault));
            return;
        }

        if (questions.Exists(question => question.IsForgotten))
        {
            // Forgotten while it was written: the next page takes its place.
            return;
        }

        _session.Ended.MoveToPage(
            new EndedPage(number, [.. questions.Select(question => QuestionIds.Hash(question.Id))], (int)questions.Sum(question => question.KeptBytes)), questions);
    }

    /// <summary>
    /// Deletes the session. What its pages hold goes first, but before that the record says so: an activation that finds it in between completes the removal,
    /// and one that has lost the session to another process finds that out before it deletes anything.
    /// </summary>
    public async Task ForgetAsync()
    {
        await _cleaning;
        await Checkpoints.SettleAsync();
        if (!_record.IsThere)
        {
            return;
        }

        // What was forgotten since the last write must go, too.
        TakeForgotten();
        EndedPage[] pages = [.. _unnamedPages, .. _session.Ended.Pages.All];
        var chunks = _session.InRecord.SelectMany(question => question.Saved?.Ranges ?? []).Concat(_unnamedChunks).Select(ChunkRangeState.From).ToList();
        var record = _session.ToRecord(_activation.UsedAt, []);
        (record.FirstPage, record.Pages) = (pages is [var first, ..] ? first.Number : _session.Ended.Pages.First, PageIndexForm.Write(pages));
        record.Questions = chunks.Count > 0 ? [new() { Chunks = chunks }] : [];
        if (record.Pages.Length == 0 && record.Questions.Count == 0 && !await _cleaner.HasPageAsync(record.FirstPage, record.Born))
        {
            await _record.ClearAsync();
            return;
        }

        record.IsRemoved = true;
        await _record.WriteAsync(record);
        await RemoveAllAsync(record);
    }

    private void TakeForgotten()
    {
        _unnamedPages.AddRange(_session.Ended.TakeForgottenPages());
        _unnamedChunks.AddRange(_session.Ended.TakeForgottenChunks());
    }

    private SessionRecord ToRecord()
    {
        var pages = _session.Ended.Pages;
        if ((_pagesForm.First, _pagesForm.Next) != (pages.First, pages.Next))
        {
            _pagesForm = (pages.First, pages.Next, PageIndexForm.Write(pages.All));
        }

        var record = _session.ToRecord(_activation.UsedAt, _session.Open);
        record.Ended = [.. _session.Ended.InRecord.Select(_forms.Write)];
        (record.FirstPage, record.Pages, record.NextChunk) = (pages.First, _pagesForm.Bytes, Checkpoints.Next);
        return record;
    }

    private async Task RemoveAllAsync(SessionRecord record)
    {
        await _cleaner.RemoveChunksAsync(record.Questions);
        var pages = PageIndexForm.Read(record.FirstPage, record.Pages);
        for (var number = pages.First; number <= pages.Next; number++)
        {
            // The last one is named by no record, but an activation that was lost can have written it.
            await _cleaner.RemovePageAsync(number, record.Born);
        }

        await _record.ClearAsync();
    }

    /// <summary>Removes what no record names any more. What stays, because the store fails, goes with its time to live.</summary>
    private async Task CleanAsync(Task previous, long born, EndedPage[] pages, ChunkRange[] chunks)
    {
        await previous;
        try
        {
            foreach (var page in pages)
            {
                await _cleaner.RemovePageAsync(page.Number, born);
            }

            foreach (var range in chunks)
            {
                await _cleaner.RemoveChunksAsync(range);
            }
        }
        catch (StoreUnavailableException)
        {
            // The outage has its line in the log.
        }
        catch (Exception fault)
        {
            LogMessages.NotCleaned(_activation.Logger, _activation.Key, LoggedException.Of(fault));
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "Session {SessionKey}: page {Number} could not be written; it is tried again at the next end of a question")]
        public static partial void NoPage(ILogger logger, string sessionKey, int number, LoggedException fault);

        [LoggerMessage(2, LogLevel.Warning, "Session {SessionKey}: forgotten questions could not be removed from the store; they expire there")]
        public static partial void NotCleaned(ILogger logger, string sessionKey, LoggedException fault);
    }
}
