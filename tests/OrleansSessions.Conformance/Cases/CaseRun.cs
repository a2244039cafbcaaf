using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using OrleansSessions.Conformance.Servers;

namespace OrleansSessions.Conformance.Cases;

/// <summary>Runs cases, some of them at a time, and prints a line for each in the order of the list.</summary>
internal sealed class CaseRun<TScene>(TextWriter output, Func<string, TScene> open)
    where TScene : ICaseScene
{
    public async Task<IReadOnlyList<CaseResult>> RunAsync(IReadOnlyList<ConformanceCase<TScene>> cases, int atATime)
    {
        var start = TimeProvider.System.GetTimestamp();
        using var places = new SemaphoreSlim(atATime);
        var running = cases.Select(each => RunWithPlaceAsync(each, places)).ToList();
        var results = new List<CaseResult>();
        foreach (var run in running)
        {
            var result = await run;
            results.Add(result);
            await PrintAsync(result);
        }

        int Count(CaseOutcome outcome) => results.Count(result => result.Outcome == outcome);
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{Count(CaseOutcome.Passed)} passed, {Count(CaseOutcome.Failed)} failed, {Count(CaseOutcome.Skipped)} skipped in {seconds:0.0} s"));
        return results;
    }

    private async Task<CaseResult> RunWithPlaceAsync(ConformanceCase<TScene> each, SemaphoreSlim places)
    {
        await places.WaitAsync();
        try
        {
            // Some cases run long without waiting, so each gets a thread of its own.
            return await Task.Run(() => RunAsync(each));
        }
        finally
        {
            places.Release();
        }
    }

    private async Task<CaseResult> RunAsync(ConformanceCase<TScene> each)
    {
        var start = TimeProvider.System.GetTimestamp();
        CaseResult Result(TScene scene, CaseOutcome outcome, string? expected, string? got) =>
            new(each.Name, each.Claim, outcome, TimeProvider.System.GetElapsedTime(start), expected, got, [.. scene.Transcript.Tail(), .. Remarks(scene)])
            {
                Choice = scene.Choice,
            };
        await using var scene = open(each.Name);
        try
        {
            await RunToEndAsync(each, scene).WaitAsync(scene.Patience.CaseLimit, TimeProvider.System);
            return Result(scene, CaseOutcome.Passed, null, null);
        }
        catch (CaseSkippedException skipped)
        {
            return Result(scene, CaseOutcome.Skipped, null, skipped.Message);
        }
        catch (CaseFailedException failed)
        {
            return Result(scene, CaseOutcome.Failed, failed.Expected, failed.Got);
        }
        catch (UpgradeRefusedException refused)
        {
            return Result(scene, CaseOutcome.Failed, "a socket", refused.Message);
        }
        catch (TimeoutException)
        {
            return Result(scene, CaseOutcome.Failed, $"an end of the case within {scene.Patience.CaseLimit.TotalSeconds:0} s", "none");
        }
        catch (Exception fault) when (fault is WebSocketException or HttpRequestException or SocketException or IOException or JsonException
            or InvalidOperationException or OperationCanceledException or KeyNotFoundException)
        {
            // A wrong peer can break a connection, or leave out a field, at any point of a case.
            return Result(scene, CaseOutcome.Failed, each.Claim, $"{fault.GetType().Name}: {fault.Message}");
        }
    }

    private static async Task RunToEndAsync(ConformanceCase<TScene> each, TScene scene)
    {
        await each.RunAsync(scene);
        await scene.FinishAsync();
    }

    private static string[] Remarks(TScene scene) => scene.Remarks.Length == 0 ? [] : ["The program printed:", .. scene.Remarks.Split('\n')];

    private async Task PrintAsync(CaseResult result)
    {
        var word = result.Outcome switch { CaseOutcome.Passed => "ok  ", CaseOutcome.Failed => "FAIL", _ => "skip" };
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{word}  {result.Name,-34} {result.Claim} ({result.Duration.TotalMilliseconds:0} ms)"));
        if (result.Outcome == CaseOutcome.Skipped)
        {
            await output.WriteLineAsync($"      {result.Got}");
        }

        if (result.Outcome == CaseOutcome.Passed && result.Choice is { } choice)
        {
            await output.WriteLineAsync($"      {choice}");
        }

        if (result.Outcome == CaseOutcome.Failed)
        {
            await output.WriteLineAsync($"      expected  {result.Expected}");
            await output.WriteLineAsync($"      got       {result.Got}");
            foreach (var line in result.Lines)
            {
                await output.WriteLineAsync($"      {line}");
            }
        }
    }
}
