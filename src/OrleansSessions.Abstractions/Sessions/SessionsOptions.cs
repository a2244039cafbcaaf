using OrleansSessions.Configuration;

namespace OrleansSessions.Sessions;

/// <summary>Where a session's state lives while its grain does not.</summary>
public enum SessionPersistence
{
    /// <summary><see cref="Stored"/> where the host has a grain storage for sessions, else <see cref="Memory"/>.</summary>
    Auto = 0,

    /// <summary>In the silo's process, and gone with it. For one silo: a second one refuses to start.</summary>
    Memory = 1,

    /// <summary>In the grain storage named <see cref="SessionsOptions.StorageName"/>, written at <c>accepted</c> and at <c>done</c>.</summary>
    Stored = 2,
}

/// <summary>Section <c>Sessions</c>: what a session may take, and for how long.</summary>
public sealed class SessionsOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Sessions";

    /// <summary>The grain storage that <see cref="SessionPersistence.Stored"/> uses.</summary>
    public const string StorageName = "sessions";

    /// <summary>Where state lives. Default: stored where there is a store.</summary>
    public SessionPersistence Persistence { get; set; } = SessionPersistence.Auto;

    /// <summary>From the start of a question to its first text. Default 120 s: a cold local model loads for a minute.</summary>
    [Within("00:00:00.0010000")]
    public TimeSpan FirstDeltaTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>Silence between two pieces of text. Default 60 s.</summary>
    [Within("00:00:00.0010000")]
    public TimeSpan SilenceTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>From the start of a question to its end. Default 15 min.</summary>
    [Within("00:00:00.0010000")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a question may wait in the queue. Default 5 min.</summary>
    [Within("00:00:00.0010000")]
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How many questions may wait in one session. Default 8, from 0 to 1,000.</summary>
    [Within(0, 1_000)]
    public int MaxQueuedQuestions { get; set; } = 8;

    /// <summary>The longest question, in UTF-8 bytes. Default 32 KiB, from 1 byte to 96 KiB: with a part of its answer, each byte escaped as six, it fits a 1 MiB frame.</summary>
    [Within(1, 96 * 1024)]
    public int MaxQuestionBytes { get; set; } = 32 * 1024;

    /// <summary>The longest answer, in UTF-8 bytes; a longer one ends <c>incomplete</c>. Default 1,000,000, which fits the one frame of a basic client.</summary>
    [Within(1)]
    public int MaxAnswerBytes { get; set; } = 1_000_000;

    /// <summary>How many ended questions a session keeps at most, for history, replays and re-asked ids. Default 64.</summary>
    [Within(1)]
    public int KeptQuestions { get; set; } = 64;

    /// <summary>How many UTF-8 bytes of ended questions a session keeps: their ids, texts, answers, reasons and messages. The last one is always kept. Default 128 KiB.</summary>
    [Within(0)]
    public int KeptBytes { get; set; } = 128 * 1024;

    /// <summary>How many log entries a session keeps for resuming; those of an open and of the last answer are always kept. Default 1,024.</summary>
    [Within(0)]
    public int KeptEvents { get; set; } = 1024;

    /// <summary>How many earlier pairs a responder is handed. Default 10.</summary>
    [Within(0)]
    public int HistoryPairs { get; set; } = 10;

    /// <summary>How many UTF-8 bytes of earlier pairs a responder is handed. Default 64 KiB.</summary>
    [Within(0)]
    public int HistoryBytes { get; set; } = 64 * 1024;

    /// <summary>Joins text that comes within this time into one delta. Default 0: only what comes while another is being published.</summary>
    [Within("00:00:00", "00:00:01")]
    public TimeSpan CoalesceWindow { get; set; } = TimeSpan.Zero;

    /// <summary>How long an idle grain stays active. Default 15 min; at least 2 min, for Orleans looks once a minute.</summary>
    [Within("00:02:00")]
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long an idle session is remembered after its last question; reading it in the second half of that time counts as use. Default 24 h.</summary>
    [Within("00:00:00.0010000")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How many sleeping sessions a silo remembers in memory; the oldest go first. Default 100,000.</summary>
    [Within(0)]
    public int MaxParkedSessions { get; set; } = 100_000;

    /// <summary>How many bytes of sleeping sessions a silo remembers in memory; the oldest go first. Default 256 MiB.</summary>
    [Within(0)]
    public long MaxParkedBytes { get; set; } = 256L * 1024 * 1024;
}
