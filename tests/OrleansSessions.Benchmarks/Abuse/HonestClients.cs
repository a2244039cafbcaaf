using System.Collections.Concurrent;
using System.Diagnostics;
using OrleansSessions.Benchmarks.Load;

namespace OrleansSessions.Benchmarks.Abuse;

/// <summary>Clients that ask as people do: now and then, one question at a time. Every response time is recorded.</summary>
internal sealed class HonestClients(IReadOnlyList<Asker> askers)
{
    /// <summary>Each client asks once in this time on average: 1,000 of them ask 500 questions in a second.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly ConcurrentQueue<Exception> _failures = new();

    /// <summary>Sockets that were closed, and answers that were wrong.</summary>
    public IReadOnlyCollection<Exception> Failures => _failures;

    /// <returns>The response times in ascending order, in milliseconds.</returns>
    public async Task<double[]> RunAsync(TimeSpan duration)
    {
        var waits = new ConcurrentQueue<double>();
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        await Task.WhenAll(askers.Select((asker, slot) => AskAsync(asker, slot, end, waits)));
        return [.. waits.Order()];
    }

    private async Task AskAsync(Asker asker, int slot, long end, ConcurrentQueue<double> waits)
    {
        var random = new Random(slot);
        try
        {
            while (true)
            {
                await Task.Delay(Interval * (random.NextDouble() * 2), TimeProvider.System);
                var asked = Stopwatch.GetTimestamp();
                if (asked >= end)
                {
                    return;
                }

                await asker.AskAsync();
                waits.Enqueue(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }
        }
        catch (Exception fault) when (fault is WrongAnswerException or System.Net.WebSockets.WebSocketException)
        {
            _failures.Enqueue(fault);
        }
    }
}
