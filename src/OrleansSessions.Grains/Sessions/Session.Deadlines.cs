using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Sessions;

// I5: a waiting session always has a live deadline.
internal sealed partial class Session
{
    /// <summary>When the next deadline passes, or null where nothing is open.</summary>
    public DateTimeOffset? NextDeadline()
    {
        DateTimeOffset? next = Running is null ? null : DeadlineOf(Running).At;
        foreach (var queued in _queue)
        {
            var at = queued.AskedAt + _options.QueueTimeout;
            next = next is null || at < next ? at : next;
        }

        return next;
    }

    /// <summary>Ends all whose deadline has passed. True if any did.</summary>
    public bool EndOverdue(DateTimeOffset now)
    {
        var hasEnded = EndOverdueInQueue(now);
        if (Running is { } running && DeadlineOf(running) is var (at, reason) && now >= at)
        {
            End(running, QuestionStatus.Timeout, reason, TimeoutMessage(reason), true, now);
            hasEnded = true;
        }

        return hasEnded;
    }

    private bool EndOverdueInQueue(DateTimeOffset now)
    {
        var overdue = _queue.FindAll(question => now >= question.AskedAt + _options.QueueTimeout);
        ConcludeAll(
            overdue, QuestionStatus.Timeout, DoneReasons.QueueTimeout, $"The question waited in the queue for {Seconds(_options.QueueTimeout)}.", true, now);
        return overdue.Count > 0;
    }

    /// <summary>The first of the three timers to pass. Heartbeats and empty pieces move none of them.</summary>
    private (DateTimeOffset At, string Reason) DeadlineOf(Question question)
    {
        var total = (At: question.OpenedAt + _options.AnswerTimeout, Reason: DoneReasons.TimeoutTotal);
        if (question.IsAnsweredFromOutside)
        {
            return total;
        }

        var text = question.FirstDeltaAt is null
            ? (At: question.OpenedAt + _options.FirstDeltaTimeout, Reason: DoneReasons.TimeoutFirstDelta)
            : (At: question.LastDeltaAt + _options.SilenceTimeout, Reason: DoneReasons.TimeoutIdle);
        return text.At < total.At ? text : total;
    }

    private string TimeoutMessage(string reason) => reason switch
    {
        DoneReasons.TimeoutFirstDelta => $"No text came within {Seconds(_options.FirstDeltaTimeout)}.",
        DoneReasons.TimeoutIdle => $"No more text came for {Seconds(_options.SilenceTimeout)}.",
        _ => $"The answer took longer than {Seconds(_options.AnswerTimeout)} in all.",
    };

    private static string Seconds(TimeSpan duration) => $"{duration.TotalSeconds:0.###} s";
}
