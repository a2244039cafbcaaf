namespace OrleansSessions.Benchmarks.Results;

/// <summary>A measured quantity.</summary>
/// <param name="Key">The name for programs.</param>
/// <param name="Name">The row in the table.</param>
/// <param name="Decimals">The number of decimals in the table.</param>
internal sealed record Figure(string Key, string Name, string Unit, int Decimals)
{
    public static readonly Figure Rounds = new("rounds", "200 sockets, answers of one frame", "rounds/s", 0);
    public static readonly Figure RoundsProcessor = new("rounds_processor", "  server's processor time", "us/round", 1);
    public static readonly Figure RoundsLoad = new("rounds_load", "  load generator's processor time", "us/round", 1);
    public static readonly Figure LatencyMedian = new("latency_median", "1 socket, answer of one frame, p50", "us", 1);
    public static readonly Figure LatencyTail = new("latency_tail", "  p99", "us", 1);
    public static readonly Figure Pieces = new("pieces", "50 sockets, answers of 50 pieces", "pieces/s", 0);
    public static readonly Figure PiecesProcessor = new("pieces_processor", "  server's processor time", "us/piece", 2);
    public static readonly Figure PiecesLoad = new("pieces_load", "  load generator's processor time", "us/piece", 2);
    public static readonly Figure PiecesFrames = new("pieces_frames", "  WebSocket messages", "/answer", 1);
    public static readonly Figure StorageRounds = new("storage_rounds", "50 sockets, answers of one frame", "rounds/s", 0);
    public static readonly Figure StorageProcessor = new("storage_processor", "  server's processor time", "us/round", 1);
    public static readonly Figure StorageLoad = new("storage_load", "  load generator's processor time", "us/round", 1);
    public static readonly Figure IdleMemory = new("idle_memory", "attached session, idle", "KB", 1);
    public static readonly Figure IdleHeap = new("idle_heap", "  of it managed heap", "KB", 1);
    public static readonly Figure AskedMemory = new("asked_memory", "attached session that asked once", "KB", 1);
    public static readonly Figure AloneTail = new("alone_tail", "1,000 honest sockets alone, p99", "ms", 1);
    public static readonly Figure AbuseMedian = new("abuse_median", "  beside 2,000 hostile ones, p50", "ms", 1);
    public static readonly Figure AbuseTail = new("abuse_tail", "  beside 2,000 hostile ones, p99", "ms", 1);
    public static readonly Figure AfterTail = new("after_tail", "  afterwards, p99", "ms", 1);
    public static readonly Figure AbuseClosed = new("abuse_closed", "  honest sockets that failed", "sockets", 0);
    public static readonly Figure AbuseMemory = new("abuse_memory", "  growth of the server's memory", "MB", 0);
    public static readonly Figure CancelMedian = new("cancel_median", "cancel elsewhere to upstream, p50", "ms", 1);
    public static readonly Figure CancelTail = new("cancel_tail", "  p99", "ms", 1);
    public static readonly Figure CancelWorst = new("cancel_worst", "  worst", "ms", 1);
    public static readonly Figure ChurnHeap = new("churn_heap", "heap after 20,000 sessions, of before", "%", 1);
    public static readonly Figure ChurnMemory = new("churn_memory", "  resident memory, of before", "%", 1);
    public static readonly Figure ChurnBytes = new("churn_bytes", "  heap that a gone session leaves", "bytes", 1);
    public static readonly Figure ChurnKeys = new("churn_keys", "  keys that they leave in the store", "keys", 0);
    public static readonly Figure ChurnActivations = new("churn_activations", "  grains that they leave", "grains", 0);
    public static readonly Figure AskedHeap = new("asked_heap", "  of it managed heap", "KB", 1);
}
