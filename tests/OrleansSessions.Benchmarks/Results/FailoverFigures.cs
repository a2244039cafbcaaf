using OrleansSessions.Benchmarks.Failover;

namespace OrleansSessions.Benchmarks.Results;

/// <summary>The figures of one kind of loss.</summary>
internal sealed record FailoverFigures(LossKind Kind)
{
    private static readonly FailoverFigures Killed = new(LossKind.Killed);
    private static readonly FailoverFigures Frozen = new(LossKind.Frozen);

    public static readonly Figure Cut = new("frozen_cut", "  goes on: all its sockets have ended", "ms", 0);
    public static readonly Figure Gone = new("frozen_gone", "  goes on: its process has ended", "ms", 0);

    public Figure ReadMedian { get; } = New(Kind, "read_median", $"node {Word(Kind)}: read elsewhere, p50", "ms");

    public Figure ReadTail { get; } = New(Kind, "read_tail", "  p99", "ms");

    public Figure AttachMedian { get; } = New(Kind, "attach_median", "  new socket elsewhere, p50", "ms");

    public Figure AttachTail { get; } = New(Kind, "attach_tail", "  p99", "ms");

    public Figure EventMedian { get; } = New(Kind, "event_median", "  next frame on a socket, p50", "ms");

    public Figure EventTail { get; } = New(Kind, "event_tail", "  p99", "ms");

    public Figure TextMedian { get; } = New(Kind, "text_median", "  next text or end, p50", "ms");

    public Figure TextTail { get; } = New(Kind, "text_tail", "  p99", "ms");

    public Figure Whole { get; } = New(Kind, "whole", "  its answers that are whole", "answers");

    public Figure Lost { get; } = New(Kind, "lost", "  its answers that are lost", "answers");

    public Figure OthersLost { get; } = New(Kind, "others_lost", "  answers of other nodes lost", "answers");

    public Figure Wrong { get; } = New(Kind, "wrong", "  answers wrong or ended twice", "answers");

    public static FailoverFigures Of(LossKind kind) => kind == LossKind.Killed ? Killed : Frozen;

    private static string Word(LossKind kind) => kind == LossKind.Killed ? "killed" : "frozen";

    private static Figure New(LossKind kind, string key, string name, string unit) => new($"{Word(kind)}_{key}", name, unit, 0);
}
