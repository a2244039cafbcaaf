using System.Diagnostics;
using System.Text;
using OrleansSessions.Benchmarks.Clusters;
using OrleansSessions.Benchmarks.Load;
using OrleansSessions.Benchmarks.Results;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Failover;

/// <summary>Asks on one node, cancels on another, and measures how long the upstream still has its connection.</summary>
internal sealed class CancelMeasure(BenchmarkOptions options, Measurements measurements, TextWriter output)
{
    private const int Lanes = 4;
    private const int WarmUps = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task RunAsync(string serverPath, string runtimeConfig, CancellationToken cancellationToken)
    {
        output.WriteLine($"{BenchmarkOptions.Cancel}: {options.Cancels} cancels from another node, half of them over a socket, half over HTTP");
        await using var upstream = await SlowUpstream.StartAsync(cancellationToken);
        string[] settings =
            ["--Responder:Name=openai", $"--Responder:OpenAI:Endpoint={upstream.Endpoint}", "--Responder:OpenAI:Model=slow"];
        await using var cluster = await ServerCluster.StartAsync(2, serverPath, runtimeConfig, settings, cancellationToken);

        // Some lanes at once, as in a server that has something to do.
        var lanes = Enumerable.Range(0, Lanes).Select(lane => RunLaneAsync(lane, upstream, cluster, cancellationToken)).ToArray();
        double[] waits = [.. (await Task.WhenAll(lanes)).SelectMany(lane => lane)];
        measurements.Add(Figure.CancelMedian, Contenders.Sessions, 1, Percentiles.Of(waits, 0.5));
        measurements.Add(Figure.CancelTail, Contenders.Sessions, 1, Percentiles.Of(waits, 0.99));
        measurements.Add(Figure.CancelWorst, Contenders.Sessions, 1, waits.Max());
    }

    private async Task<List<double>> RunLaneAsync(int lane, SlowUpstream upstream, ServerCluster cluster, CancellationToken cancellationToken)
    {
        using var asking = new SessionProbe(cluster.Nodes[0].Http);
        using var cancelling = new SessionProbe(cluster.Nodes[1].Http);
        var session = $"cancel-{lane}";
        FrameSocket? socket = null;
        try
        {
            var waits = new List<double>();
            for (var i = -WarmUps; i < options.Cancels / Lanes; i++)
            {
                // 1. Ask on one node, where the session is activated by the first question, and wait for text on the other.
                var id = $"{session}.{i + WarmUps}";
                await asking.AskAsync(session, id, id, cancellationToken);
                socket ??= await AttachAsync(cluster.Nodes[1], session, cancellationToken);
                await UntilAsync(socket, $"\"question_id\":\"{id}\"", "\"text\":\"word", cancellationToken);

                // 2. Cancel there, and wait until the upstream notices.
                var cancelledAt = Stopwatch.GetTimestamp();
                await (i % 2 == 0
                    ? socket.SendAsync(Encoding.UTF8.GetBytes($$"""{"type":"cancel","question_id":"{{id}}"}""")).AsTask()
                    : cancelling.CancelAsync(session, id, cancellationToken));
                var closedAt = await upstream.ClosedAsync(id).WaitAsync(Patience, TimeProvider.System, cancellationToken);
                await UntilAsync(socket, $"\"question_id\":\"{id}\"", "\"status\":\"cancelled\"", cancellationToken);
                if (i >= 0)
                {
                    waits.Add(Stopwatch.GetElapsedTime(cancelledAt, closedAt).TotalMilliseconds);
                }
            }

            return waits;
        }
        catch (TimeoutException late)
        {
            throw new WrongAnswerException($"a cancel did not reach the upstream, or its end no socket, within {Patience.TotalSeconds:N0} s", late);
        }
        finally
        {
            socket?.Dispose();
        }
    }

    private static async Task<FrameSocket> AttachAsync(ServerProcess node, string session, CancellationToken cancellationToken)
    {
        var socket = new FrameSocket(new Uri(node.WebSocket, $"/ws/{session}?v=1"));
        await socket.ConnectAsync(cancellationToken);
        return socket;
    }

    private static async Task UntilAsync(FrameSocket socket, string one, string other, CancellationToken cancellationToken)
    {
        string frame;
        do
        {
            var received = await socket.ReceiveAsync().AsTask().WaitAsync(Patience, TimeProvider.System, cancellationToken);
            frame = Encoding.UTF8.GetString(received.Span);
        }
        while (!frame.Contains(one, StringComparison.Ordinal) || !frame.Contains(other, StringComparison.Ordinal));
    }
}
