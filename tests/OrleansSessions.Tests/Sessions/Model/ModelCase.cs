using CsCheck;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>What can happen next in a case. The three numbers of a <see cref="Step"/> choose which one, how much and in which way.</summary>
internal enum StepKind
{
    /// <summary>A client asks.</summary>
    Ask,

    /// <summary>A client cancels.</summary>
    Cancel,

    /// <summary>An answerer adds a piece to an answer, right or wrong.</summary>
    Append,

    /// <summary>The responder says something.</summary>
    Say,

    /// <summary>A responder whose answer does not count any more says something, in this process or in one that hung.</summary>
    SayLate,

    /// <summary>The responder ends its answer, stops at a limit, or throws.</summary>
    EndAnswer,

    /// <summary>Time passes, and timers that are due fire.</summary>
    Pass,

    /// <summary>So much time passes that the running answer is saved.</summary>
    Checkpoint,

    /// <summary>From now on calls of the store wait.</summary>
    Hold,

    /// <summary>One waiting call of the store is finished.</summary>
    Finish,

    /// <summary>All waiting calls are finished, and no more wait.</summary>
    Resume,

    /// <summary>Some of the next calls of the store fail.</summary>
    Fault,

    /// <summary>The process is gone. Its calls of the store have their effect, have none, or have it later.</summary>
    Crash,

    /// <summary>The process hangs and is declared dead; another one takes the session.</summary>
    Hang,

    /// <summary>A process that hung runs again for a while.</summary>
    Wake,

    /// <summary>The activation leaves.</summary>
    Sleep,

    /// <summary>A client removes the session.</summary>
    Remove,

    /// <summary>A follower reads the log.</summary>
    Read,

    /// <summary>A socket gateway attaches or detaches.</summary>
    Attach,

    /// <summary>Someone reads one question.</summary>
    Get,

    /// <summary>Everything that clients can see is looked at.</summary>
    Inspect,
}

internal readonly record struct Step(StepKind Kind, int A, int B, int C)
{
    private static readonly Gen<StepKind> Kinds = Gen.Frequency(
        (22, StepKind.Ask), (4, StepKind.Cancel), (10, StepKind.Append), (16, StepKind.Say), (3, StepKind.SayLate), (9, StepKind.EndAnswer), (5, StepKind.Pass),
        (5, StepKind.Checkpoint), (6, StepKind.Hold), (9, StepKind.Finish), (6, StepKind.Resume), (3, StepKind.Fault), (5, StepKind.Crash), (3, StepKind.Hang),
        (4, StepKind.Wake), (5, StepKind.Sleep), (2, StepKind.Remove), (6, StepKind.Read), (4, StepKind.Attach), (3, StepKind.Get), (4, StepKind.Inspect));

    public static Gen<Step> Any { get; } = Gen.Select(
        Kinds, Gen.Int[0, 999], Gen.Int[0, 999], Gen.Int[0, 999], (kind, a, b, c) => new Step(kind, a, b, c));

    public override string ToString() => $"{Kind}({A},{B},{C})";
}

/// <summary>The options of a case and what happens in it.</summary>
/// <param name="Recovery">What the responder declares; null where answers come from outside.</param>
internal sealed record ModelCase(RecoveryMode? Recovery, int MaxAttempts, int KeptQuestions, int KeptBytes, int KeptEvents, int HistoryBytes, Step[] Steps)
{
    public static Gen<ModelCase> Any { get; } =
        from recovery in Gen.OneOf<RecoveryMode?>(RecoveryMode.Continue, RecoveryMode.AskAgain, RecoveryMode.Fail, null)
        from attempts in Gen.Int[1, 3]
        from questions in Gen.OneOf(2, 6, 24)
        from bytes in Gen.OneOf(2_000, 12_000, 200_000)
        from events in Gen.OneOf(3, 20, 1_000)
        from history in Gen.OneOf(0, 4_000, 100_000)
        from steps in Step.Any.Array[1, 60]
        select new ModelCase(recovery, attempts, questions, bytes, events, history, steps);

    public SessionsOptions Options { get; } = new()
    {
        Persistence = SessionPersistence.Stored,
        MaxAttempts = MaxAttempts,
        KeptQuestions = KeptQuestions,
        KeptBytes = KeptBytes,
        KeptEvents = KeptEvents,
        HistoryBytes = HistoryBytes,
        MaxQueuedQuestions = 2,
        MaxAnswerBytes = 50_000,
        FirstDeltaTimeout = TimeSpan.FromSeconds(20),
        SilenceTimeout = TimeSpan.FromSeconds(15),
        AnswerTimeout = TimeSpan.FromSeconds(120),
        QueueTimeout = TimeSpan.FromSeconds(40),
    };

    public override string ToString() =>
        $"{Recovery?.ToString() ?? "outside"}, attempts {MaxAttempts}, questions {KeptQuestions}, bytes {KeptBytes}, events {KeptEvents}, "
        + $"history {HistoryBytes}:\n  " + string.Join("\n  ", Steps);
}
