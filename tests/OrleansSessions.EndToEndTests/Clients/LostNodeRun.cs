using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Resuming;
using OrleansSessions.Conformance.Resuming.Cases;
using OrleansSessions.EndToEndTests.Clusters;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>
/// Two nodes, of which one is killed once all clients are in the middle of an answer. It takes some seconds until a cluster misses a node, so the clients
/// share them.
/// </summary>
public sealed class LostNodeRun : IAsyncDisposable
{
    private static readonly string[] Clients =
        [ClientPrograms.Reference, ClientPrograms.JavaScript, ClientPrograms.JavaScriptOverEvents, ClientPrograms.Python, ClientPrograms.DotNet];

    private Task<IReadOnlyDictionary<string, (CaseResult, string)>>? _run;
    private NodeSet? _nodes;

    /// <summary>Returns what became of a client, and what the tool printed. The first call runs all clients.</summary>
    internal async Task<(CaseResult Result, string Output)> ResultOfAsync(string client, ClientPrograms programs) =>
        (await (_run ??= RunAsync(programs)))[client];

    public async ValueTask DisposeAsync()
    {
        if (_nodes is not null)
        {
            await _nodes.DisposeAsync();
        }
    }

    private async Task<IReadOnlyDictionary<string, (CaseResult, string)>> RunAsync(ClientPrograms programs)
    {
        _nodes = await NodeSet.StartAsync(RedisFlavour.Garnet);
        var (stays, lost) = (await _nodes.AddAsync(), await _nodes.AddAsync());
        var present = Clients.Where(client => programs.Find(client).Start is not null).ToList();
        var (waiting, killed) = (present.Count, new TaskCompletionSource());
        Task LoseWhenAllAreReadyAsync()
        {
            if (Interlocked.Decrement(ref waiting) == 0)
            {
                lost.Kill();
                killed.SetResult();
            }

            return killed.Task;
        }

        var runs = present.Select(async client =>
        {
            var isReady = false;
            using var output = new StringWriter();
            var results = await ResumeVerb.TryAsync(
                ResumeCases.LosingAServer, ConformanceRuns.Options("resume", lost.Address, stays.Address), programs.Find(client).Start!, output,
                () =>
                {
                    isReady = true;
                    return LoseWhenAllAreReadyAsync();
                });
            if (!isReady)
            {
                // It failed before. The others must not wait for it.
                _ = LoseWhenAllAreReadyAsync();
            }

            return (client, (results.Single(), output.ToString()));
        });
        return (await Task.WhenAll(runs)).ToDictionary();
    }
}
