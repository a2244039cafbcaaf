using OrleansSessions.Fuzz.Frames;
using OrleansSessions.Fuzz.Hosts;
using OrleansSessions.Fuzz.Messages;
using OrleansSessions.Fuzz.Requests;

namespace OrleansSessions.Fuzz;

/// <summary>The kinds of inputs, and a whole run with one of them.</summary>
public static class FuzzKinds
{
    public const string Messages = "messages";
    public const string Frames = "frames";
    public const string Requests = "requests";

    /// <summary>Enough inputs to make everything once that a server keeps for good.</summary>
    private const int WarmUpInputs = 300;

    /// <summary>Makes another seed of a seed, so that the first inputs are not made twice.</summary>
    private const int WarmUpBit = 1 << 30;

    public static IReadOnlyList<string> All { get; } = [Messages, Frames, Requests];

    /// <summary>Checks this many inputs, then looks at what is left of them.</summary>
    public static async Task<FuzzReport> RunAsync(string kind, int inputs, int seed)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        await using var host = await HostAsync(kind);
        var target = TargetOf(kind, host);
        if (host is null)
        {
            var only = await FuzzRun.RunAsync(target, inputs, seed);
            return new(kind, inputs, clock.GetElapsedTime(start), only, null);
        }

        var finding = await FuzzRun.RunAsync(target, Math.Min(inputs, WarmUpInputs), seed ^ WarmUpBit);
        host.MarkHeap();
        finding ??= await FuzzRun.RunAsync(target, inputs, seed);
        var leftover = await host.FindLeftoversAsync();
        return new(kind, inputs, clock.GetElapsedTime(start), finding, leftover) { HeapGrowth = host.HeapGrowth, LogLines = [.. host.Log.Lines] };
    }

    /// <summary>Checks one input of a run again. Returns what is wrong, or null.</summary>
    public static async Task<string?> ReplayAsync(string kind, int seed, int number)
    {
        await using var host = await HostAsync(kind);
        return (await FuzzRun.CheckAsync(TargetOf(kind, host), seed, number))?.ToString();
    }

    /// <summary>Checks this input. Returns what is wrong, or null.</summary>
    public static async Task<string?> ReplayAsync(string kind, byte[] input)
    {
        await using var host = await HostAsync(kind);
        return await FuzzRun.FindAsync(TargetOf(kind, host), input);
    }

    /// <summary>The server for a kind, or null if its inputs go to parsers only.</summary>
    private static async Task<FuzzHost?> HostAsync(string kind) => kind switch
    {
        Frames => await FuzzHost.StartAsync("echo"),
        Requests => await FuzzHost.StartAsync("external"),
        _ => null,
    };

    private static IFuzzTarget TargetOf(string kind, FuzzHost? host) => (kind, host) switch
    {
        (Messages, _) => new MessageTarget(),
        (Frames, { } server) => new FrameTarget(server),
        (Requests, { } server) => new RequestTarget(server),
        _ => throw new ArgumentException($"'{kind}' is no kind of input.", nameof(kind)),
    };
}
