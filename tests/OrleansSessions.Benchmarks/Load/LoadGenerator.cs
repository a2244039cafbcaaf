using System.Diagnostics;
using System.Net.WebSockets;

namespace OrleansSessions.Benchmarks.Load;

/// <summary>The answers that the clients received in a period of time.</summary>
internal readonly record struct LoadResult(long Answers, long Pieces, long Frames, TimeSpan Elapsed);

/// <summary>Lets clients ask for a period of time, each as fast as it receives answers.</summary>
internal static class LoadGenerator
{
    // Much longer than any answer: only a server that lost an answer reaches it.
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(30);
    private const int ParallelAttaches = 16;

    public static async Task<IReadOnlyList<Asker>> AttachAsync(int count, Func<int, Asker> create, CancellationToken cancellationToken)
    {
        var askers = Enumerable.Range(0, count).Select(create).ToArray();
        await GuardAsync(
            Parallel.ForEachAsync(
                askers,
                new ParallelOptions { MaxDegreeOfParallelism = ParallelAttaches, CancellationToken = cancellationToken },
                async (asker, token) => await asker.AttachAsync(token)),
            AnswerPatience,
            cancellationToken);
        return askers;
    }

    public static async Task CloseAsync(IReadOnlyList<Asker> askers)
    {
        foreach (var asker in askers)
        {
            await asker.CloseAsync();
            asker.Dispose();
        }
    }

    /// <summary>All clients ask until the time is over. An answer that arrives later is checked but not counted.</summary>
    public static async Task<LoadResult> RunAsync(IReadOnlyList<Asker> askers, TimeSpan duration, CancellationToken cancellationToken)
    {
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var loops = askers.Select(asker => LoopAsync(asker, end, cancellationToken)).ToArray();
        await GuardAsync(Task.WhenAll(loops), duration + AnswerPatience, cancellationToken);
        var total = default(LoadResult);
        foreach (var loop in loops)
        {
            var one = await loop;
            total = new LoadResult(total.Answers + one.Answers, total.Pieces + one.Pieces, total.Frames + one.Frames, duration);
        }

        return total;
    }

    /// <summary>One client asks until the time is over. Every response time is recorded.</summary>
    /// <returns>The response times in ascending order, in microseconds.</returns>
    public static async Task<double[]> TimeAsync(Asker asker, TimeSpan duration, CancellationToken cancellationToken)
    {
        var ticks = new List<long>(capacity: 1 << 18);
        await GuardAsync(TimeLoopAsync(asker, duration, ticks), duration + AnswerPatience, cancellationToken);
        ticks.Sort();
        return [.. ticks.Select(waited => waited * 1e6 / Stopwatch.Frequency)];
    }

    public static Task AskOnceAsync(IReadOnlyList<Asker> askers, CancellationToken cancellationToken) =>
        GuardAsync(
            Parallel.ForEachAsync(
                askers,
                new ParallelOptions { MaxDegreeOfParallelism = ParallelAttaches, CancellationToken = cancellationToken },
                async (asker, _) => await asker.AskAsync()),
            AnswerPatience,
            cancellationToken);

    private static async Task<LoadResult> LoopAsync(Asker asker, long end, CancellationToken cancellationToken)
    {
        long answers = 0, pieces = 0, frames = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var answer = await asker.AskAsync();
            if (Stopwatch.GetTimestamp() >= end)
            {
                break;
            }

            answers++;
            pieces += answer.Pieces;
            frames += answer.Frames;
        }

        return new LoadResult(answers, pieces, frames, default);
    }

    private static async Task TimeLoopAsync(Asker asker, TimeSpan duration, List<long> ticks)
    {
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        long asked;
        while ((asked = Stopwatch.GetTimestamp()) < end)
        {
            await asker.AskAsync();
            ticks.Add(Stopwatch.GetTimestamp() - asked);
        }
    }

    private static async Task GuardAsync(Task work, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await work.WaitAsync(patience, TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException late)
        {
            throw new WrongAnswerException($"no answer arrived within {AnswerPatience.TotalSeconds:N0} s", late);
        }
        catch (WebSocketException broken)
        {
            throw new WrongAnswerException($"a socket broke: {broken.Message}", broken);
        }
    }
}
