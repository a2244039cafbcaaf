using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Questions;

/// <summary>
/// The ended questions that a session keeps, oldest first, within their number and bytes. With a store the older ones are in pages, and those of the oldest
/// pages are in memory only once someone asks for them.
/// </summary>
internal sealed class EndedQuestions(SessionsOptions options)
{
    private readonly List<Question> _questions = [];
    private readonly Dictionary<string, Question> _byId = new(StringComparer.Ordinal);
    private List<EndedPage>? _forgottenPages;
    private List<ChunkRange>? _forgottenChunks;
    private long _bytesInRecord;
    private int _countInRecord;

    /// <summary>Those in memory, oldest first.</summary>
    public IReadOnlyList<Question> All => _questions;

    /// <summary>The stored pages. None without a store.</summary>
    public PageIndex Pages { get; private set; } = new(0, []);

    /// <summary>Those that no page holds, oldest first: the record of the session does.</summary>
    public IEnumerable<Question> InRecord => _questions.Skip(_questions.Count - _countInRecord);

    /// <summary>What those count for in <c>Sessions:KeptBytes</c>.</summary>
    public long BytesInRecord => _bytesInRecord;

    /// <summary>How many those are.</summary>
    public int CountInRecord => _countInRecord;

    /// <summary>The one that ended last, or null.</summary>
    public Question? Last => _questions.Count > 0 ? _questions[^1] : null;

    /// <summary>How many are kept, in memory or not.</summary>
    public int Count => Pages.Questions + _countInRecord;

    private long Bytes => Pages.Bytes + _bytesInRecord;

    public Question? Find(string id) => _byId.GetValueOrDefault(id);

    public void Add(Question question)
    {
        _questions.Add(question);
        _byId.Add(question.Id, question);
        _countInRecord++;
        _bytesInRecord += question.KeptBytes;
    }

    /// <summary>Takes up what a store has: the pages, and the newest questions.</summary>
    public void Restore(PageIndex pages, IEnumerable<Question> newest)
    {
        Pages = pages;
        foreach (var question in newest)
        {
            _questions.Add(question);
            _byId[question.Id] = question;
            if (question.Page is null)
            {
                _countInRecord++;
                _bytesInRecord += question.KeptBytes;
            }
        }
    }

    /// <summary>
    /// Takes the questions of the pages that were not loaded. Pages that the store has no more are forgotten with all that are older, and so are those that were
    /// forgotten while the others were read.
    /// </summary>
    /// <param name="pages">Each page that was not loaded, oldest first, with its questions; null where the store has it no more.</param>
    public void TakeOlder(IReadOnlyList<(EndedPage Page, List<Question>? Questions)> pages)
    {
        var older = new List<Question>();
        foreach (var (page, questions) in pages)
        {
            if (page.Number < Pages.First)
            {
                continue;
            }

            if (questions is null)
            {
                older.Clear();
                (_forgottenPages ??= []).AddRange(Pages.RemoveUpTo(page));
                continue;
            }

            page.IsLoaded = true;
            older.AddRange(questions);
        }

        older.RemoveAll(question => !_byId.TryAdd(question.Id, question));
        _questions.InsertRange(0, older);
    }

    /// <summary>The oldest ones that the record holds are in a page now.</summary>
    public void MoveToPage(EndedPage page, IReadOnlyList<Question> questions)
    {
        page.IsLoaded = true;
        Pages.Add(page);
        foreach (var question in questions)
        {
            (question.Page, question.Form) = (page, null);
            _countInRecord--;
            _bytesInRecord -= question.KeptBytes;
        }
    }

    /// <summary>
    /// Forgets the oldest above the limits, but never the last one. Above the limit of their number it makes room for some more at once,
    /// so that a busy session does not move its lists at every question. A page is forgotten as a whole.
    /// </summary>
    /// <returns>True if any was forgotten.</returns>
    public bool Trim()
    {
        var limit = Count > options.KeptQuestions ? options.KeptQuestions - (options.KeptQuestions / 8) : options.KeptQuestions;
        var isTrimmed = false;
        while (Count > 1 && (Count > limit || Bytes > options.KeptBytes) && ForgetOldest())
        {
            isTrimmed = true;
        }

        return isTrimmed;
    }

    /// <summary>The pages that were forgotten since the last call. What they hold must be removed from the store once no record names it.</summary>
    public EndedPage[] TakeForgottenPages()
    {
        EndedPage[] forgotten = [.. _forgottenPages ?? []];
        _forgottenPages = null;
        return forgotten;
    }

    /// <summary>These chunks hold text that was withdrawn.</summary>
    public void ForgetChunks(IEnumerable<ChunkRange> chunks) => (_forgottenChunks ??= []).AddRange(chunks);

    /// <summary>The chunks of answers that were withdrawn, or forgotten before a page held them, as <see cref="TakeForgottenPages"/>.</summary>
    public ChunkRange[] TakeForgottenChunks()
    {
        ChunkRange[] forgotten = [.. _forgottenChunks ?? []];
        _forgottenChunks = null;
        return forgotten;
    }

    /// <summary>The newest pairs for a responder, oldest first, within their own number and bytes.</summary>
    public AnsweredQuestion[] Pairs()
    {
        var (count, bytes, oldest) = (0, 0L, _questions.Count);
        for (var i = _questions.Count - 1; i >= 0 && count < options.HistoryPairs; i--)
        {
            if (_questions[i].IsHistory)
            {
                bytes += _questions[i].TextBytes + _questions[i].Bytes;
                if (bytes > options.HistoryBytes)
                {
                    break;
                }

                (count, oldest) = (count + 1, i);
            }
        }

        var pairs = new AnsweredQuestion[count];
        for (var (i, place) = (oldest, 0); place < count; i++)
        {
            if (_questions[i].IsHistory)
            {
                pairs[place++] = _questions[i].Pair;
            }
        }

        return pairs;
    }

    public void Clear()
    {
        _questions.Clear();
        _byId.Clear();
        (_forgottenPages, _forgottenChunks) = (null, null);
        Pages = new(0, []);
        (_bytesInRecord, _countInRecord) = (0, 0);
    }

    private bool ForgetOldest()
    {
        if (Pages.All is not [var oldest, ..])
        {
            if (_questions[0].Saved is { } saved)
            {
                ForgetChunks(saved.Ranges);
            }

            (_bytesInRecord, _countInRecord) = (_bytesInRecord - _questions[0].KeptBytes, _countInRecord - 1);
            Forget(1);
            return true;
        }

        if (oldest.Ids.Length == Count)
        {
            return false;
        }

        (_forgottenPages ??= []).Add(Pages.RemoveOldest());
        Forget(_questions.TakeWhile(question => ReferenceEquals(question.Page, oldest)).Count());
        return true;
    }

    private void Forget(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _questions[i].IsForgotten = true;
            _byId.Remove(_questions[i].Id);
        }

        _questions.RemoveRange(0, count);
    }
}
