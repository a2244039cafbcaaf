using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Records;

/// <summary>Reads what an earlier activation has stored of a session.</summary>
internal sealed class SessionReader(SessionSlots slots)
{
    /// <summary>
    /// Reads the session of a record: what is open with all its text, and the newest ended questions. A page that is not there any more, because it has not been
    /// written for longer than the store keeps anything, is forgotten with all that are older.
    /// </summary>
    /// <param name="pages">The pages that the record names.</param>
    /// <param name="options">How much of the ended questions is read: as much as a responder gets. The last one is read in any case.</param>
    public async Task<SavedSession> ReadAsync(SessionRecord record, PageIndex pages, SessionsOptions options)
    {
        // 1. The pages and the text of answers, side by side.
        var newest = Newest(pages, options.HistoryBytes, isLastInRecord: record.Ended.Count > 0);
        var reads = newest.ConvertAll(ReadPageAsync);
        var questions = await Task.WhenAll(
            record.Ended.Select(slots.Forms.Read).Concat(record.Questions).Select(question => ReadQuestionAsync(question, record)));
        await Task.WhenAll(reads);

        // 2. What follows the last hole.
        var ended = new List<Question>();
        for (var i = newest.Count - 1; i >= 0; i--)
        {
            if (await reads[i] is not { } found)
            {
                pages.RemoveUpTo(newest[i]);
                break;
            }

            newest[i].IsLoaded = true;
            ended.InsertRange(0, found);
        }

        ended.AddRange(questions.OfType<Question>().Where(question => question.IsFinal));

        // 3. More, where questions that are no part of the history have taken its place.
        while (pages.HasUnloaded && IsShort(ended, options))
        {
            var next = pages.All.Last(page => !page.IsLoaded);
            if (await ReadPageAsync(next) is not { } found)
            {
                pages.RemoveUpTo(next);
                break;
            }

            next.IsLoaded = true;
            ended.InsertRange(0, found);
        }

        return new(record, pages, ended, [.. questions.OfType<Question>().Where(question => !question.IsFinal)]);
    }

    /// <summary>The questions of a page, or null where the store does not have all of them any more.</summary>
    public async Task<List<Question>?> ReadPageAsync(EndedPage page)
    {
        if (await slots.Page(page.Number).ReadAsync() is not { } state)
        {
            return null;
        }

        List<Question> questions = [.. (await Task.WhenAll(state.Ended.Select(form => ReadQuestionAsync(slots.Forms.Read(form), null)))).OfType<Question>()];
        if (!page.Ids.SequenceEqual(questions.Select(question => QuestionIds.Hash(question.Id))))
        {
            return null;
        }

        questions.ForEach(question => question.Page = page);
        return questions;
    }

    private static bool IsShort(List<Question> ended, SessionsOptions options)
    {
        var pairs = ended.FindAll(question => question.IsHistory);
        return pairs.Count < options.HistoryPairs && pairs.Sum(question => question.TextBytes + question.Bytes) < options.HistoryBytes;
    }

    private static List<EndedPage> Newest(PageIndex pages, long newestBytes, bool isLastInRecord)
    {
        var newest = new List<EndedPage>();
        for (var i = pages.All.Count - 1; i >= 0 && (newestBytes > 0 || (newest.Count == 0 && !isLastInRecord)); i--)
        {
            newest.Insert(0, pages.All[i]);
            newestBytes -= pages.All[i].Bytes;
        }

        return newest;
    }

    /// <summary>A question with its whole answer, or null for an ended one of which a part is missing.</summary>
    /// <param name="record">The record that has it, or null where it is in a page. Of a running question in a record there can be more than the record knows.</param>
    private async Task<Question?> ReadQuestionAsync(QuestionState state, SessionRecord? record)
    {
        var isRunning = !state.Status.IsFinal() && state.Status != QuestionStatus.Queued;
        if (state.Chunks is null && !isRunning)
        {
            return state.ToQuestion(null);
        }

        var text = new ReadText();
        foreach (var range in (state.Chunks ?? []).ConvertAll(range => range.ToRange()))
        {
            text.Add(range);
            for (var number = range.First; number < range.First + range.Count; number++)
            {
                await TryReadAsync(state, range.Epoch, number, text);
            }
        }

        // Only an answer that still runs in the epoch of its last chunk can have more text there than the record knows. Anything else was written by a process
        // that hung, after another one had taken over.
        if (!isRunning || record is null || state.Chunks is not [.., var last] || last.Epoch != record.Epoch)
        {
            text.CutTo(state.SavedLength);
        }

        if (isRunning && record is not null)
        {
            var count = 0;
            while (await TryReadAsync(state, record.Epoch, record.NextChunk + count, text))
            {
                count++;
            }

            if (count > 0)
            {
                text.Add(new ChunkRange(record.Epoch, record.NextChunk, count));
            }
        }

        if (text.Length >= state.SavedLength)
        {
            return state.ToQuestion(text);
        }

        if (!isRunning)
        {
            return null;
        }

        // The store has lost a part of the answer, but the question is still owed an end.
        var question = state.ToQuestion(null);
        question.DropAnswer();
        return question;
    }

    private async Task<bool> TryReadAsync(QuestionState question, long epoch, int number, ReadText text)
    {
        if (await slots.Chunk(epoch, number).ReadAsync() is not { } chunk || chunk.QuestionId != question.Id || chunk.Attempt > question.Attempt)
        {
            return false;
        }

        return text.TryAdd(chunk);
    }
}
