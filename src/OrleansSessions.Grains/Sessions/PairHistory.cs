using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>The last pairs that a responder is handed, within their number and bytes. Kept as they end, so that a question need not look for them.</summary>
internal sealed class PairHistory(SessionsOptions options)
{
    private readonly Queue<(AnsweredQuestion Pair, long Bytes)> _pairs = new();
    private long _bytes;

    /// <summary>Takes a question that has ended, if its text was seen and it did not fail.</summary>
    public void Add(Question question)
    {
        var isSeen = question.Status is QuestionStatus.Completed or QuestionStatus.Incomplete
            || (question.Status == QuestionStatus.Cancelled && question.Bytes > 0);
        if (!isSeen)
        {
            return;
        }

        var bytes = question.TextBytes + question.Bytes;
        _pairs.Enqueue((new(question.Text, question.Answer), bytes));
        _bytes += bytes;
        while (_pairs.Count > options.HistoryPairs || (_bytes > options.HistoryBytes && _pairs.Count > 0))
        {
            _bytes -= _pairs.Dequeue().Bytes;
        }
    }

    public AnsweredQuestion[] ToArray()
    {
        var pairs = new AnsweredQuestion[_pairs.Count];
        var i = 0;
        foreach (var (pair, _) in _pairs)
        {
            pairs[i++] = pair;
        }

        return pairs;
    }

    public void Clear()
    {
        _pairs.Clear();
        _bytes = 0;
    }
}
