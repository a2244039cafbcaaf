using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>When questions end at the latest. I5: a session that waits for an answer has a deadline.</summary>
internal sealed class Deadlines(SessionsOptions options)
{
    /// <summary>The next deadline of the open questions, or null where none is open.</summary>
    public DateTimeOffset? Next(QuestionQueue questions)
    {
        DateTimeOffset? next = questions.Running is { } running ? OfRunning(running).At : null;

        // By index, because this runs at every delta and an enumerator of the interface would be allocated each time.
        var waiting = questions.Waiting;
        for (var i = 0; i < waiting.Count; i++)
        {
            var at = waiting[i].AskedAt + options.QueueTimeout;
            next = next is null || at < next ? at : next;
        }

        return next;
    }

    /// <summary>When a question ends at the latest; null once it has ended.</summary>
    public DateTimeOffset? Of(Question question) => question switch
    {
        { IsFinal: true } => null,
        { Status: QuestionStatus.Queued } => question.AskedAt + options.QueueTimeout,
        _ => OfRunning(question).At,
    };

    /// <summary>How a running question ends whose deadline has passed; null for one that still has time.</summary>
    public Ending? FindTimeout(Question running, DateTimeOffset now) => OfRunning(running) is var (at, reason) && now >= at ? TimeoutOf(reason) : null;

    /// <summary>The waiting questions whose deadline has passed.</summary>
    public List<Question> OverdueIn(QuestionQueue questions, DateTimeOffset now) =>
        [.. questions.Waiting.Where(question => now >= question.AskedAt + options.QueueTimeout)];

    /// <summary>How a question ends that waited too long.</summary>
    public Ending QueueTimeout() => TimeoutOf(DoneReasons.QueueTimeout);

    /// <summary>The first of the three timers to pass. Heartbeats and empty pieces move none of them.</summary>
    private (DateTimeOffset At, string Reason) OfRunning(Question question)
    {
        var total = (At: question.StartedAt + options.AnswerTimeout, Reason: DoneReasons.TimeoutTotal);
        if (question.IsAnsweredFromOutside)
        {
            return total;
        }

        var text = question.FirstDeltaAt is null
            ? (At: question.StartedAt + options.FirstDeltaTimeout, Reason: DoneReasons.TimeoutFirstDelta)
            : (At: question.LastDeltaAt + options.SilenceTimeout, Reason: DoneReasons.TimeoutIdle);
        return text.At < total.At ? text : total;
    }

    private Ending TimeoutOf(string reason) => Ending.TimedOut(reason, reason switch
    {
        DoneReasons.TimeoutFirstDelta => $"No text came within {Seconds(options.FirstDeltaTimeout)}.",
        DoneReasons.TimeoutIdle => $"No more text came for {Seconds(options.SilenceTimeout)}.",
        DoneReasons.QueueTimeout => $"The question waited in the queue for {Seconds(options.QueueTimeout)}.",
        _ => $"The answer took longer than {Seconds(options.AnswerTimeout)} in all.",
    });

    private static string Seconds(TimeSpan duration) => $"{duration.TotalSeconds:0.###} s";
}
