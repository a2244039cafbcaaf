using OrleansSessions.Configuration;

namespace OrleansSessions.Sessions;

/// <summary>Where the state of a session is kept while its grain is not active.</summary>
public enum SessionPersistence
{
    /// <summary><see cref="Stored"/> if the host has a grain storage for sessions, otherwise <see cref="Memory"/>.</summary>
    Auto = 0,

    /// <summary>In the silo's process. It is lost when that process ends. Only for a single silo: a second silo refuses to start.</summary>
    Memory = 1,

    /// <summary>In the grain storage named <see cref="SessionsOptions.StorageName"/>. It is written at <c>accepted</c>, at <c>done</c> and while an answer grows.</summary>
    Stored = 2,

    /// <summary>
    /// In the file <see cref="SessionsOptions.File"/> of a single silo. A host of its own has such a file if it adds <c>AddSqliteGrainStorage</c> with
    /// the name <see cref="SessionsOptions.StorageName"/>.
    /// </summary>
    File = 3,
}

/// <summary>Section <c>Sessions</c>: limits and timers of a session.</summary>
public sealed class SessionsOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Sessions";

    /// <summary>The name of the grain storage that <see cref="SessionPersistence.Stored"/> uses.</summary>
    public const string StorageName = "sessions";

    /// <summary>
    /// Where the state of sessions is kept. Default: in the store if there is one. The server has one: with <c>Cluster:Provider=Localhost</c> the file, with
    /// <c>Redis</c> that server.
    /// </summary>
    public SessionPersistence Persistence { get; set; } = SessionPersistence.Auto;

    /// <summary>
    /// The file of <see cref="SessionPersistence.File"/>; a relative path is relative to the working directory. It and its folder are created if they do
    /// not exist. One process holds it alone. Default <c>sessions.db</c>. Only the program <c>OrleansSessions.Server</c> reads this option and
    /// <see cref="FileSync"/>.
    /// </summary>
    public string File { get; set; } = "sessions.db";

    /// <summary>
    /// True to wait for the disk at each write to <see cref="File"/>, so that a power failure loses nothing. Default false: it can lose the last moments.
    /// The end of the process loses nothing in either case.
    /// </summary>
    public bool FileSync { get; set; }

    /// <summary>
    /// The time from the start of a question to its first text or other sign of life. Default 120 s, because a cold local model loads for a minute.
    /// </summary>
    [Within("00:00:00.0010000")]
    public TimeSpan FirstDeltaTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>The longest silence after a sign of life of the responder: text, or a piece without text while a model thinks. Default 60 s.</summary>
    [Within("00:00:00.0010000")]
    public TimeSpan SilenceTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The time from the start of a question to its end. No sign of life extends it. Default 15 min.</summary>
    [Within("00:00:00.0010000")]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a question can wait in the queue. Default 5 min.</summary>
    [Within("00:00:00.0010000")]
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The maximum number of questions that wait in one session. Default 8, from 0 to 1,000.</summary>
    [Within(0, 1_000)]
    public int MaxQueuedQuestions { get; set; } = 8;

    /// <summary>
    /// The maximum size of a question, in UTF-8 bytes. Default 32 KiB, from 1 byte to 96 KiB:
    /// with a part of its answer, and with each byte escaped as six, it fits into a 1 MiB frame.
    /// </summary>
    [Within(1, 96 * 1024)]
    public int MaxQuestionBytes { get; set; } = 32 * 1024;

    /// <summary>
    /// The maximum size of an answer, in UTF-8 bytes; a longer answer ends <c>incomplete</c>.
    /// Default 1,000,000, which fits into the single frame of a basic client.
    /// </summary>
    [Within(1)]
    public int MaxAnswerBytes { get; set; } = 1_000_000;

    /// <summary>The maximum number of ended questions that a session keeps, for history, replays and repeated ids. Default 64.</summary>
    [Within(1)]
    public int KeptQuestions { get; set; } = 64;

    /// <summary>
    /// The maximum number of UTF-8 bytes of ended questions that a session keeps: their ids,
    /// texts, answers, reasons and messages. The last question is always kept. Default 128 KiB.
    /// </summary>
    [Within(0)]
    public int KeptBytes { get; set; } = 128 * 1024;

    /// <summary>
    /// The maximum number of log entries that a session keeps for resuming. The
    /// entries of the open answer and of the last one are always kept. Default 1,024.
    /// </summary>
    [Within(0)]
    public int KeptEvents { get; set; } = 1024;

    /// <summary>The maximum number of earlier questions with answers that a responder receives. Default 10.</summary>
    [Within(0)]
    public int HistoryPairs { get; set; } = 10;

    /// <summary>The maximum number of UTF-8 bytes of earlier questions with answers that a responder receives. Default 64 KiB.</summary>
    [Within(0)]
    public int HistoryBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// Text that arrives within this time is joined into one delta. Default 0: only text that arrives while another delta is being published is joined.
    /// </summary>
    [Within("00:00:00", "00:00:01")]
    public TimeSpan CoalesceWindow { get; set; } = TimeSpan.Zero;

    /// <summary>
    /// How often the text of a running answer is saved, where sessions are stored. After a crash at most that much text is missing. Default 2 s, at most 1 h;
    /// 0 saves only whole answers. Each time at most 16 KiB are written again besides the new text.
    /// </summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan CheckpointInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The maximum number of attempts at a question whose process dies, the first one included. Default 2, from 1 (never ask again) to 100. Attempts after
    /// which more text was saved do not count for a responder that continues its answers.
    /// </summary>
    [Within(1, 100)]
    public int MaxAttempts { get; set; } = 2;

    /// <summary>
    /// How long an idle grain stays active. Default 15 min; at least 5 s. Orleans looks for idle grains once a minute, or four times in this time if that is
    /// more often.
    /// </summary>
    [Within("00:00:05")]
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long an idle session is remembered after its last question. Reading the session in the second half of that time counts as use. Default 24 h.
    /// </summary>
    [Within("00:00:00.0010000")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>The maximum number of sleeping sessions that a silo keeps in memory; the oldest are removed first. Default 100,000.</summary>
    [Within(0)]
    public int MaxParkedSessions { get; set; } = 100_000;

    /// <summary>The maximum number of bytes of sleeping sessions that a silo keeps in memory; the oldest are removed first. Default 256 MiB.</summary>
    [Within(0)]
    public long MaxParkedBytes { get; set; } = 256L * 1024 * 1024;

    /// <inheritdoc/>
    public IEnumerable<string> FindMistakes() =>
        Persistence is SessionPersistence.Auto or SessionPersistence.File && string.IsNullOrWhiteSpace(File)
            ? [$"{Section}:{nameof(File)} is '{File}'; it must name a file."] : [];
}
