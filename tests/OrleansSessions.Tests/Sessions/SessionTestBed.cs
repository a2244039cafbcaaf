using OrleansSessions.Grains.Sessions;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Tests.Sessions;

/// <summary>A <see cref="Session"/> without a grain around it, and a clock that the test moves.</summary>
internal sealed class SessionTestBed
{
    public SessionTestBed(bool isAnsweredFromOutside = false, Action<SessionsOptions>? configure = null)
    {
        configure?.Invoke(Options);
        Session = new Session(Options, isAnsweredFromOutside, epoch: 1);
        Session.QuestionEnded += question => Ended.Add((question.Id, question.Status, question.End!.Reason));
    }

    public SessionsOptions Options { get; } = new();

    public Session Session { get; }

    public DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public List<(string Id, QuestionStatus Status, string? Reason)> Ended { get; } = [];

    public AskReply Ask(string id, string text = "why", IfBusy ifBusy = IfBusy.Reject, string? connection = null, bool isOrphanable = false) =>
        Session.Ask(new AskRequest("g", connection, id, text, ifBusy, isOrphanable, null), Now, question => question.IsConnectionGone);

    /// <summary>Text from the responder of the running question.</summary>
    public bool Say(string text) => Session.TryAppend(Session.Running!, Session.Running!.Attempt, text, Now);

    public bool Complete() =>
        Session.TryEnd(Session.Running!, Session.Running!.Attempt, QuestionStatus.Completed, null, null, false, Now);

    /// <summary>All that a reader sees from the start of the log.</summary>
    public IReadOnlyList<LogEvent> Events()
    {
        Session.Log.ReleaseTo(Session.Log.Head);
        return Session.ReadLog(Session.Log.Epoch, Session.Log.OldestSeq - 1, int.MaxValue, Now).Events;
    }
}
