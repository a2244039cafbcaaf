using OrleansSessions.Log;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>The events of one epoch that clients have seen, by whatever way they came.</summary>
/// <param name="life">Which life of the session it belongs to; null where that is not known.</param>
internal sealed class SeenLog(long epoch, int? life)
{
    private readonly SortedDictionary<long, LogEvent> _events = [];

    public int? Life { get; } = life;

    public long Last { get; private set; }

    public IReadOnlyDictionary<long, LogEvent> Events => _events;

    /// <summary>Takes an event. True if it was not seen before; one that was must be the same.</summary>
    public bool Add(LogEvent logged)
    {
        if (_events.TryGetValue(logged.Seq, out var before))
        {
            BrokenException.Unless(before == logged, $"I3: {epoch}:{logged.Seq} was {Text(before)} and is {Text(logged)} now");
            return false;
        }

        _events.Add(logged.Seq, logged);
        Last = Math.Max(Last, logged.Seq);
        if (logged.Kind == LogEventKind.Delta)
        {
            CheckIndex(logged);
        }

        return true;
    }

    /// <summary>The deltas of a question between two numbers, if all events between them were seen.</summary>
    public List<LogEvent>? DeltasOf(string questionId, long after, long before)
    {
        var deltas = new List<LogEvent>();
        for (var seq = after + 1; seq < before; seq++)
        {
            if (!_events.TryGetValue(seq, out var logged))
            {
                return null;
            }

            if (logged.Kind == LogEventKind.Delta && logged.QuestionId == questionId)
            {
                deltas.Add(logged);
            }
        }

        return deltas;
    }

    private static string Text(LogEvent logged) => $"{logged} [{logged.Index}] '{logged.Text[..Math.Min(20, logged.Text.Length)]}' {logged.End}";

    /// <summary>The deltas of an answer count up by one, whatever comes between them.</summary>
    private void CheckIndex(LogEvent delta)
    {
        for (var seq = delta.Seq - 1; _events.TryGetValue(seq, out var before); seq--)
        {
            if (before.QuestionId != delta.QuestionId)
            {
                continue;
            }

            var expected = before.Kind == LogEventKind.Delta ? before.Index + 1 : 0;
            BrokenException.Unless(before.Kind != LogEventKind.Done, $"I4: {epoch}:{delta.Seq} is a delta of {delta.QuestionId} after its done");
            BrokenException.Unless(delta.Index == expected, $"I3: delta {delta.Index} of {delta.QuestionId} follows where {expected} should");
            return;
        }
    }
}
