using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Questions;

/// <summary>The ended questions that a session keeps, oldest first, within their number and bytes.</summary>
internal sealed class EndedQuestions(SessionsOptions options)
{
    private readonly List<Question> _questions = [];
    private readonly Dictionary<string, Question> _byId = new(StringComparer.Ordinal);
    private long _bytes;

    public IReadOnlyList<Question> All => _questions;

    /// <summary>The one that ended last, or null.</summary>
    public Question? Last => _questions.Count > 0 ? _questions[^1] : null;

    public Question? Find(string id) => _byId.GetValueOrDefault(id);

    public void Add(Question question)
    {
        _questions.Add(question);
        _byId.Add(question.Id, question);
        _bytes += question.KeptBytes;
    }

    /// <summary>
    /// Forgets the oldest above the limits, but never the last one. Above the limit of their number it makes room for some more at once,
    /// so that a busy session does not move its lists at every question.
    /// </summary>
    /// <returns>True if any was forgotten.</returns>
    public bool Trim()
    {
        var limit = _questions.Count > options.KeptQuestions ? options.KeptQuestions - (options.KeptQuestions / 8) : options.KeptQuestions;
        var count = 0;
        while (_questions.Count - count > 1 && (_questions.Count - count > limit || _bytes > options.KeptBytes))
        {
            var forgotten = _questions[count++];
            forgotten.IsForgotten = true;
            _bytes -= forgotten.KeptBytes;
            _byId.Remove(forgotten.Id);
        }

        _questions.RemoveRange(0, count);
        return count > 0;
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
        _bytes = 0;
    }
}
