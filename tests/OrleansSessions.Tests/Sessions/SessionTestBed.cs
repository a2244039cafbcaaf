using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Records;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Tests.Sessions;

/// <summary>A <see cref="Session"/> without a grain around it, and a clock that the test moves.</summary>
internal sealed class SessionTestBed
{
    private readonly List<(string Id, QuestionStatus Status, string? Reason)> _ended = [];

    private readonly ResponderRegistration _responder;
    private readonly RecoveryMode _recovery;

    public SessionTestBed(bool isAnsweredFromOutside = false, Action<SessionsOptions>? configure = null, RecoveryMode recovery = RecoveryMode.Fail)
    {
        configure?.Invoke(Options);
        (_responder, _recovery) = (new("test", isAnsweredFromOutside ? null : typeof(IResponder)), recovery);
        Session = New(epoch: 1);
    }

    /// <summary>Stands for the responder's check of options; accepts all until a test says otherwise.</summary>
    public Func<string, OptionFault?> CheckOptions { get; set; } = _ => null;

    public SessionsOptions Options { get; } = new();

    public Session Session { get; }

    public DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The questions that have ended so far.</summary>
    public List<(string Id, QuestionStatus Status, string? Reason)> Ended
    {
        get
        {
            while (Session.TakeNextEnded() is { } question)
            {
                _ended.Add((question.Id, question.Status, question.End!.Reason));
            }

            return _ended;
        }
    }

    public AskReply Ask(string id, string text = "why", IfBusy ifBusy = IfBusy.Reject, string? connection = null, bool isOrphanable = false,
        string? options = null) => Ask(new AskRequest
        {
            Gateway = "g",
            Connection = connection,
            QuestionId = id,
            Question = text,
            IfBusy = ifBusy,
            IsOrphanable = isOrphanable,
            OptionsJson = options,
        });

    /// <summary>The session as the next activation makes it of what this one leaves.</summary>
    /// <param name="left">The one that leaves it; <see cref="Session"/> if null.</param>
    public Session Restore(long newEpoch, Session? left = null)
    {
        var session = New(newEpoch - 1);
        session.Restore(SavedSession.Of((left ?? Session).ToRecord(Now)), newEpoch, Now);
        return session;
    }

    public AskReply Ask(AskRequest request) =>
        Session.Admission.FindReply(request, Now) ?? Session.Admission.Admit(request, Now, question => question.IsConnectionGone);

    /// <summary>Answers a question whole from outside, while a socket is attached.</summary>
    public AnswerReply Respond(string? id, string text) => Session.Answer(new() { QuestionId = id, Text = text }, isAttended: true, Now);

    /// <summary>Adds a piece to an answer from outside.</summary>
    public AnswerReply Append(string id, long offset, string text, bool isFinal = false, int attempt = 1, string? error = null, string? message = null) =>
        Session.Answer(
            new() { QuestionId = id, Attempt = attempt, Offset = offset, Text = text, IsFinal = isFinal, ErrorCode = error, ErrorMessage = message },
            isAttended: true, Now);

    /// <summary>Text from the responder of the running question.</summary>
    public bool Say(string text) => Session.TryAppend(Session.Running!, Session.Running!.Attempt, text, Now);

    public bool Complete() =>
        Session.TryEnd(Session.Running!, Session.Running!.Attempt, Ending.Completed, Now);

    /// <summary>Ends the questions whose deadline has passed. True if there were any.</summary>
    public bool EndOverdue(DateTimeOffset now)
    {
        var before = Ended.Count;
        Session.EndOverdue(now);
        return Ended.Count > before;
    }

    /// <summary>All that a reader sees from the start of the log.</summary>
    public IReadOnlyList<LogEvent> Events()
    {
        Session.Log.ReleaseTo(Session.Log.Head);
        return Session.View.ReadLog(Session.Log.Epoch, Session.Log.OldestSeq - 1, int.MaxValue, Now).Events;
    }

    private Session New(long epoch) => new(Options, _responder, _recovery, json => CheckOptions(json), epoch);
}
