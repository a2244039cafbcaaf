using System.Globalization;
using OrleansSessions.Benchmarks.Failover;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Results;

/// <summary>The target figures. They are only reported.</summary>
internal static class Targets
{
    private const double RoundsOfKestrel = 0.6;
    private const double LatencyOfKestrel = 2.5;
    private const double PiecesOfSignalR = 0.5;
    private const double IdleKilobytes = 25;
    private const double FileOfMemory = 0.5;
    private const double RedisOfMemory = 0.25;
    private const double AbuseMilliseconds = 250;
    private const double AbuseMegabytes = 700;
    private const double KilledMilliseconds = 2500;
    private const double FrozenMilliseconds = 5000;
    private const double GoneMilliseconds = 5000;
    private const double CancelMilliseconds = 100;

    public static void Write(TextWriter output, Measurements measurements)
    {
        var rounds = measurements.Ratio(Figure.Rounds, Contenders.Sessions, Contenders.Kestrel);
        var latency = measurements.Ratio(Figure.LatencyMedian, Contenders.Sessions, Contenders.Kestrel);
        var pieces = measurements.Ratio(Figure.Pieces, Contenders.Sessions, Contenders.SignalR);
        var idle = measurements.Median(Figure.IdleMemory, Contenders.Sessions);

        var file = measurements.Ratio(Figure.StorageRounds, StorageContenders.File, StorageContenders.Memory);
        var redis = measurements.Ratio(Figure.StorageRounds, StorageContenders.Redis, StorageContenders.Memory);
        var abuse = measurements.Median(Figure.AbuseTail, Contenders.Sessions);
        var growth = measurements.Median(Figure.AbuseMemory, Contenders.Sessions);
        var failed = measurements.Median(Figure.AbuseClosed, Contenders.Sessions);

        output.WriteLine("targets");
        WriteLine(output, "rounds, of bare Kestrel's, at least", RoundsOfKestrel, rounds, rounds >= RoundsOfKestrel);
        WriteLine(output, "p50, of bare Kestrel's, at most", LatencyOfKestrel, latency, latency <= LatencyOfKestrel);
        WriteLine(output, "pieces, of SignalR's, at least", PiecesOfSignalR, pieces, pieces >= PiecesOfSignalR);
        WriteLine(output, "KB an idle attached session, at most", IdleKilobytes, idle, idle <= IdleKilobytes);
        WriteLine(output, "rounds in a file, of memory's, at least", FileOfMemory, file, file >= FileOfMemory);
        WriteLine(output, "rounds in Redis, of memory's, at least", RedisOfMemory, redis, redis >= RedisOfMemory);
        WriteLine(output, "ms p99 beside hostile sockets, at most", AbuseMilliseconds, abuse, abuse <= AbuseMilliseconds);
        WriteLine(output, "MB grown beside them, at most", AbuseMegabytes, growth, growth <= AbuseMegabytes);
        WriteLine(output, "honest sockets that failed, at most", 0, failed, failed <= 0);
        WriteLoss(output, measurements, LossKind.Killed, KilledMilliseconds);
        WriteLoss(output, measurements, LossKind.Frozen, FrozenMilliseconds);
        WriteMost(output, measurements, "ms until a thawed node has ended, at most", GoneMilliseconds, FailoverFigures.Gone);
        WriteMost(output, measurements, "ms until its sockets have ended, at most", GoneMilliseconds, FailoverFigures.Cut);
        WriteMost(output, measurements, "ms p99 of a cancel elsewhere, at most", CancelMilliseconds, Figure.CancelTail);
    }

    private static void WriteLoss(TextWriter output, Measurements measurements, LossKind kind, double milliseconds)
    {
        var figures = FailoverFigures.Of(kind);
        var node = kind == LossKind.Killed ? "killed" : "frozen";
        WriteMost(output, measurements, $"ms p99 read, node {node}, at most", milliseconds, figures.ReadTail);
        WriteMost(output, measurements, $"ms p99 attach, node {node}, at most", milliseconds, figures.AttachTail);
        WriteMost(output, measurements, $"ms p99 next frame, node {node}, at most", milliseconds, figures.EventTail);
        WriteMost(output, measurements, $"answers lost, node {node}, at most", 0, figures.Lost);
        WriteMost(output, measurements, "answers of others lost, at most", 0, figures.OthersLost);
        WriteMost(output, measurements, $"answers wrong, node {node}, at most", 0, figures.Wrong);
    }

    private static void WriteMost(TextWriter output, Measurements measurements, string what, double target, Figure figure)
    {
        var measured = measurements.Median(figure, Contenders.Sessions);
        WriteLine(output, what, target, measured, measured <= target);
    }

    private static void WriteLine(TextWriter output, string what, double target, double? measured, bool isReached)
    {
        var verdict = measured is null ? "not measured" : isReached ? "reached" : "not reached";
        var figure = measured is { } value ? value.ToString("N2", CultureInfo.InvariantCulture) : "-";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-42}{target,6:0.##}{figure,10}  {verdict}"));
    }
}
