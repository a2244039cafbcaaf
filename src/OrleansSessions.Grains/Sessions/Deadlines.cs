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

    /// <summary>
    /// When the deadlines must be looked at again, or null where none is open. Signs of life cause no turn of the grain: they are read at this time.
    /// The first sign can bring the deadline forward, because a silence may be shorter than the wait for that sign. Any sign that is not known at
    /// <paramref name="now"/> allows a silence from then on, so a look after each such time finds it early enough.
    /// </summary>
    public DateTimeOffset? NextLook(QuestionQueue questions, DateTimeOffset now)
    {
        var next = Next(questions);
        return questions.Running is { IsAnsweredFromOutside: false, LastSignAt: null } && now + options.SilenceTimeout is var look && look < next ? look : next;
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

    /// <summary>The first of the three timers to pass. Every piece of a responder is a sign of life, with text or without. Heartbeats of sockets are not.</summary>
    private (DateTimeOffset At, string Reason) OfRunning(Question question)
    {
        var total = (At: question.StartedAt + options.AnswerTimeout, Reason: DoneReasons.TimeoutTotal);
        if (question.IsAnsweredFromOutside)
        {
            return total;
        }

        var sign = question.LastSignAt is { } last
            ? (At: last + options.SilenceTimeout, Reason: DoneReasons.TimeoutIdle)
            : (At: question.AttemptStartedAt + options.FirstDeltaTimeout, Reason: DoneReasons.TimeoutFirstDelta);
        return sign.At < total.At ? sign : total;
    }

    private Ending TimeoutOf(string reason) => Ending.TimedOut(reason, reason switch
    {
        DoneReasons.TimeoutFirstDelta => $"No text and no other sign of life came within {Seconds(options.FirstDeltaTimeout)}.",
        DoneReasons.TimeoutIdle => $"Neither text nor another sign of life came for {Seconds(options.SilenceTimeout)}.",
        DoneReasons.QueueTimeout => $"The question waited in the queue for {Seconds(options.QueueTimeout)}.",
        _ => $"The answer took longer than {Seconds(options.AnswerTimeout)} in all.",
    });

    private static string Seconds(TimeSpan duration) => $"{duration.TotalSeconds:0.###} s";
}
