using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>Executes the table "state x operation" of <c>docs/architecture.md</c>, cell by cell.</summary>
public sealed class StateTableTests
{
    private const string Ended = "ended";
    private const string Running = "running";
    private const string Queued = "queued";
    private const string Text = "why";

    /// <summary>How each row's operation is done; the value is the outcome as the table spells it.</summary>
    private static readonly Dictionary<string, Func<SessionTestBed, string>> Operations = new()
    {
        ["attach"] = bed => $"open:{bed.Session.View.OpenQuestions(bed.Now).Length}",
        ["detach"] = Do(bed => bed.Session.Orphans.Forget("nobody")),
        ["read log, at the head"] = bed => Read(bed, bed.Session.Log.Epoch, bed.Session.Log.Head),
        ["read log, beyond the head"] = bed => Read(bed, bed.Session.Log.Epoch, bed.Session.Log.Head + 1),
        ["read log, another epoch"] = bed => Read(bed, bed.Session.Log.Epoch + 7, 0),
        ["can accept question"] = bed => bed.Session.HasOpenQuestion ? "false" : "true",
        ["ask, reject"] = bed => $"{bed.Ask("new").Outcome}",
        ["ask, queue"] = bed => $"{bed.Ask("new", ifBusy: IfBusy.Queue).Outcome}",
        ["ask, queue, no room in the queue"] = bed =>
        {
            bed.Options.MaxQueuedQuestions = bed.Session.Waiting.Count;
            return $"{bed.Ask("new", ifBusy: IfBusy.Queue).Outcome}";
        },
        ["ask, replace"] = bed => $"{bed.Ask("new", ifBusy: IfBusy.Replace).Outcome}",
        ["ask, reject, running one orphaned"] = bed =>
        {
            bed.Session.Orphans.Forget("asker");
            return $"{bed.Ask("new").Outcome}";
        },
        ["ask, too long"] = bed =>
        {
            bed.Options.MaxQuestionBytes = Text.Length;
            return $"{bed.Ask("new", Text + "?").Outcome}";
        },
        ["ask, without text"] = bed => $"{bed.Ask("new", "").Outcome}",
        ["ask, bad options"] = bed =>
        {
            bed.CheckOptions = _ => new("temperature", "Too hot.");
            return $"{bed.Ask("new", ifBusy: IfBusy.Replace, options: """{"temperature":9}""").Outcome}";
        },
        ["ask, reject, running one outranked"] = bed =>
        {
            bed.Session.Orphans.Outrank("newer");
            return $"{bed.Ask("new", connection: "newer").Outcome}";
        },
        ["ask, the open id and text"] = bed => $"{bed.Ask(OpenId(bed), Text).Outcome}",
        ["ask, the open id, other text"] = bed => $"{bed.Ask(OpenId(bed), "what").Outcome}",
        ["ask, ended id and text"] = bed => $"{bed.Ask(Ended, Text).Outcome}",
        ["ask, ended id, other text"] = bed => $"{bed.Ask(Ended, "what").Outcome}",
        ["cancel, no id"] = bed => $"{bed.Session.Cancel(null, bed.Now).Outcome}",
        ["cancel, the open id"] = bed => $"{bed.Session.Cancel(OpenId(bed), bed.Now).Outcome}",
        ["cancel, ended id"] = bed => $"{bed.Session.Cancel(Ended, bed.Now).Outcome}",
        ["cancel, unknown id"] = bed => $"{bed.Session.Cancel("never", bed.Now).Outcome}",
        ["respond, no id"] = bed => Respond(bed, null),
        ["respond, queued id"] = bed => Respond(bed, Queued),
        ["respond, ended id"] = bed => Respond(bed, Ended),
        ["respond, unknown id"] = bed => Respond(bed, "never"),
        ["respond, other beginning than the text so far"] = bed => $"{bed.Respond(null, "other").Outcome}",
        ["respond, answered by a responder"] = bed => Respond(bed, null),
        ["append"] = bed => Append(bed, Running),
        ["append, final"] = bed => Append(bed, Running, isFinal: true),
        ["append, error"] = bed => Append(bed, Running, error: "overloaded"),
        ["append, repeated piece"] = bed => Append(bed, Running, offset: 0, text: "some"),
        ["append, wrong offset"] = bed => Append(bed, Running, offset: 99),
        ["append, wrong attempt"] = bed => Append(bed, Running, attempt: 9),
        ["append, queued id"] = bed => Append(bed, Queued),
        ["append, ended id"] = bed => Append(bed, Ended),
        ["append, unknown id"] = bed => Append(bed, "never"),
        ["append, answered by a responder"] = bed => Append(bed, Running),
        ["describe"] = bed => bed.Session.IsKnown ? $"open:{bed.Session.View.Whole(0, null, bed.Now).Open.Length}" : "null",
        ["remove"] = bed =>
        {
            var wasThere = bed.Session.IsKnown;
            bed.Session.EndAll(Ending.SessionRemoved, bed.Now);
            bed.Session.Clear(2);
            return wasThere ? "true" : "false";
        },
        ["the responder's text"] = Do(bed => Assert.True(bed.Say("more"))),
        ["the responder's end"] = bed =>
        {
            Assert.True(bed.Complete());
            return bed.Ended[^1].Status.ToWire();
        },
        ["the first-delta timer"] = bed => Pass(bed, DoneReasons.TimeoutFirstDelta),
        ["the silence timer"] = bed => Pass(bed, DoneReasons.TimeoutIdle),
        ["the total timer"] = bed => Pass(bed, DoneReasons.TimeoutTotal),
        ["the queue timer"] = bed => Pass(bed, DoneReasons.QueueTimeout),
    };

    public static TheoryData<string, string, string> Cells()
    {
        var cells = new TheoryData<string, string, string>();
        foreach (var (operation, states) in ReadTable())
        {
            foreach (var (state, cell) in states)
            {
                if (cell != "-")
                {
                    cells.Add(operation, state, cell);
                }
            }
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void EachCell_DoesWhatTheTableSays(string operation, string state, string cell)
    {
        var bed = Bed(operation, state);
        var parts = cell.Split(" -> ");

        var outcome = Operations[operation](bed);

        Assert.Equal(parts[0], outcome);
        Assert.Equal(parts.Length > 1 ? parts[1] : state, StateOf(bed.Session));
    }

    [Fact]
    public void TheTable_AndTheOperationsHere_AreTheSame() =>
        Assert.Equal(Operations.Keys.Order(), ReadTable().Select(row => row.Operation).Order());

    private static SessionTestBed Bed(string operation, string state)
    {
        // Answers come from outside where the operation is such an answer; the responder's own timers and words need a responder.
        var isFromOutside = (operation.StartsWith("respond", StringComparison.Ordinal) || operation.StartsWith("append", StringComparison.Ordinal))
            && !operation.EndsWith("answered by a responder", StringComparison.Ordinal);
        var bed = new SessionTestBed(isFromOutside, options => options.QueueTimeout = TimeSpan.FromHours(1), RecoveryMode.Continue);
        if (state == "Unknown")
        {
            return bed;
        }

        bed.Ask(Ended, Text);
        bed.Complete();
        if (state != "Idle")
        {
            bed.Ask(Running, Text, connection: "asker", isOrphanable: true);
        }

        if (state == "Answering")
        {
            bed.Say("some");
        }
        else if (state == "Queued")
        {
            bed.Ask(Queued, Text, IfBusy.Queue);
        }
        else if (state == "Recovering")
        {
            bed.LoseProcess(newEpoch: 5);
        }

        bed.Session.Log.ReleaseTo(bed.Session.Log.Head);
        return bed;
    }

    private static string StateOf(Session session) => session switch
    {
        { IsKnown: false } => "Unknown",
        { Running: null } => "Idle",
        { Waiting.Count: > 0 } => "Queued",
        { Running.Status: QuestionStatus.Accepted } => "Accepted",
        { Running.Status: QuestionStatus.Recovering } => "Recovering",
        _ => "Answering",
    };

    private static string OpenId(SessionTestBed bed) => bed.Session.Waiting.Count > 0 ? bed.Session.Waiting[0].Id : bed.Session.Running!.Id;

    private static Func<SessionTestBed, string> Do(Action<SessionTestBed> act) => bed =>
    {
        act(bed);
        return "ok";
    };

    private static string Read(SessionTestBed bed, long epoch, long after) => $"{bed.Session.View.ReadLog(epoch, after, 1000, bed.Now).Outcome}";

    private static string Respond(SessionTestBed bed, string? id) => $"{bed.Respond(id, "some more").Outcome}";

    private static string Append(
        SessionTestBed bed, string id, long? offset = null, string text = " more", bool isFinal = false, int attempt = 1, string? error = null) =>
        $"{bed.Append(id, offset ?? bed.Session.View.Question(id, bed.Now)?.Bytes ?? 0, text, isFinal, attempt, error).Outcome}";

    /// <summary>Lets just the time of one timer pass: the others are far away, so that only this one can have ended the question.</summary>
    private static string Pass(SessionTestBed bed, string reason)
    {
        var far = TimeSpan.FromDays(1);
        var near = TimeSpan.FromSeconds(1);
        TimeSpan For(string timer) => timer == reason ? near : far;
        bed.Options.FirstDeltaTimeout = For(DoneReasons.TimeoutFirstDelta);
        bed.Options.SilenceTimeout = For(DoneReasons.TimeoutIdle);
        bed.Options.AnswerTimeout = For(DoneReasons.TimeoutTotal);
        bed.Options.QueueTimeout = For(DoneReasons.QueueTimeout);
        return bed.EndOverdue(bed.Now + near) ? bed.Ended[^1].Reason! : "none";
    }

    private static List<(string Operation, List<(string State, string Cell)> Cells)> ReadTable()
    {
        var path = Path.Combine(RepositoryFolder.Path, "docs", "architecture.md");
        var rows = File.ReadLines(path).SkipWhile(line => line != "<!-- table: state x operation -->").Skip(1)
            .TakeWhile(line => line.StartsWith('|')).Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries)).ToList();
        return rows.Skip(2).Select(row => (row[0], row.Skip(1).Select((cell, i) => (rows[0][i + 1], cell)).ToList())).ToList();
    }
}
