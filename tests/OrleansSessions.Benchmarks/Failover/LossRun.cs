using System.Diagnostics;
using System.Globalization;
using OrleansSessions.Benchmarks.Clusters;
using OrleansSessions.Benchmarks.Load;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Failover;

/// <summary>One loss of a node among three. Read <see cref="RunAsync"/> first: it is the whole run, in order.</summary>
internal sealed class LossRun(ServerCluster cluster, LossKind kind, LossResult result) : IAsyncDisposable
{
    /// <summary>Sessions on the node that is lost. Their sockets are on the two others.</summary>
    public const int Lost = 50;

    /// <summary>Sessions on the two other nodes. Their sockets are on the node that is lost.</summary>
    public const int Others = 20;

    private const string QuestionId = "q";

    /// <summary>75 words, one in 200 ms: 15 s. The loss of a node is noticed in 1 to 4 s, so every answer runs before, during and after it.</summary>
    private static readonly string Question = string.Join(' ', Enumerable.Range(0, 75).Select(word => word.ToString("word-000", CultureInfo.InvariantCulture)));

    /// <summary>Nodes probe each other once a second, and learn from the first probes how fast their neighbors answer. A node that has just joined is missed later.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>How long a second end has to show itself.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(1);

    private readonly SessionProbe[] _survivors = [new(cluster.Nodes[0].Http), new(cluster.Nodes[1].Http)];
    private readonly SessionProbe _victimProbe = new(cluster.Nodes[2].Http);
    private readonly List<AnswerClient> _lost = [];
    private readonly List<AnswerClient> _others = [];

    private ServerProcess Victim => cluster.Nodes[2];

    public static IEnumerable<string> Settings => ["--Responder:Name=echo", "--Responder:Echo:Delay=00:00:00.200", "--Responder:Echo:InitialDelay=00:00:00.200"];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await RunStepsAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WrongAnswerException($"Sessions of a node that was {kind} did not answer within {Patience.TotalSeconds:N0} s. {Progress()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _lost.Concat(_others))
        {
            await client.DisposeAsync();
        }

        foreach (var probe in _survivors)
        {
            probe.Dispose();
        }

        _victimProbe.Dispose();
    }

    private async Task RunStepsAsync(CancellationToken cancellationToken)
    {
        // 1. Let the nodes know each other, and start the answers, each on a known node, and follow them on another.
        await Task.Delay(WarmUp, TimeProvider.System, cancellationToken);
        await Parallel.ForAsync(0, Lost, cancellationToken, async (i, token) => await _victimProbe.AskAsync(LostName(i), Question, QuestionId, token));
        await Parallel.ForAsync(0, Others, cancellationToken, async (i, token) => await Survivor(i).AskAsync(OtherName(i), Question, QuestionId, token));
        _lost.AddRange(Enumerable.Range(0, Lost).Select(i => new AnswerClient(LostName(i), Question, SurvivorSocket(i))));
        _others.AddRange(Enumerable.Range(0, Others).Select(i => new AnswerClient(OtherName(i), Question, Victim.WebSocket, SurvivorSocket(i))));
        await Task.WhenAll(_lost.Concat(_others).Select(client => client.HasText)).WaitAsync(cancellationToken);

        // 2. Lose the node, and ask the others for its sessions.
        var lostAt = Lose();
        var read = Enumerable.Range(0, Lost).Select(i => Survivor(i).UntilReadAsync(LostName(i), cancellationToken)).ToArray();
        var attached = Enumerable.Range(0, Lost).Select(i => Survivor(i + 1).UntilAttachedAsync(LostName(i), cancellationToken)).ToArray();
        Keep(result.Read, lostAt, await Task.WhenAll(read));
        Keep(result.Attached, lostAt, await Task.WhenAll(attached));
        Keep(result.EventAgain, lostAt, await Task.WhenAll(_lost.Select(client => client.EventAgain)).WaitAsync(cancellationToken));
        Keep(result.TextAgain, lostAt, await Task.WhenAll(_lost.Select(client => client.TextAgain)).WaitAsync(cancellationToken));

        // 3. A frozen node goes on, after others have its sessions.
        if (kind == LossKind.Frozen)
        {
            await ThawAsync(cancellationToken);
        }

        // 4. Every answer ends once, and every node says the same about it.
        await Task.WhenAll(_lost.Concat(_others).Select(client => client.Ended)).WaitAsync(cancellationToken);
        await Task.Delay(Aftermath, TimeProvider.System, cancellationToken);
        await JudgeAsync(_lost, LostName, result.Ends, cancellationToken);
        await JudgeAsync(_others, OtherName, result.OtherEnds, cancellationToken);
    }

    private long Lose()
    {
        var now = Stopwatch.GetTimestamp();
        if (kind == LossKind.Killed)
        {
            Victim.Kill();
        }
        else
        {
            Victim.Freeze();
        }

        return now;
    }

    private async Task ThawAsync(CancellationToken cancellationToken)
    {
        var thawedAt = Stopwatch.GetTimestamp();
        var gone = Victim.ExitAsync(cancellationToken);
        Victim.Thaw();
        Keep(result.Cut, thawedAt, await Task.WhenAll(_others.Select(client => client.Cut)).WaitAsync(cancellationToken));
        await gone;
        Keep(result.Gone, thawedAt, [Stopwatch.GetTimestamp()]);
    }

    private async Task JudgeAsync(List<AnswerClient> clients, Func<int, string> name, List<AnswerEnd> ends, CancellationToken cancellationToken)
    {
        for (var i = 0; i < clients.Count; i++)
        {
            var answer = clients[i].Answer;
            var mistake = answer.Mistake;
            foreach (var survivor in _survivors)
            {
                var question = await survivor.QuestionAsync(name(i), QuestionId, cancellationToken);
                if (question.GetProperty("text").GetString() != answer.Text)
                {
                    mistake ??= $"a node has another text than the client, in state {question.GetProperty("state")}";
                }
            }

            ends.Add(mistake is null ? answer.End : AnswerEnd.Wrong);
            if (mistake is not null)
            {
                result.Mistakes.Add($"{name(i)}: {mistake}");
            }

            if (answer.Reason is { } reason)
            {
                result.Reasons.Add(reason);
            }
        }
    }

    private string Progress() =>
        $"{_lost.Count(client => client.EventAgain.IsCompleted)} of {Lost} heard of their question, {_lost.Count(client => client.Ended.IsCompleted)} of them its end; "
        + $"{_others.Count(client => client.Ended.IsCompleted)} of {Others} other questions ended.";

    private static void Keep(List<double> times, long from, IEnumerable<long> until) =>
        times.AddRange(until.Select(at => Stopwatch.GetElapsedTime(from, at).TotalMilliseconds));

    private SessionProbe Survivor(int number) => _survivors[number % _survivors.Length];

    private Uri SurvivorSocket(int number) => cluster.Nodes[number % _survivors.Length].WebSocket;

    private static string LostName(int number) => $"lost-{number}";

    private static string OtherName(int number) => $"other-{number}";
}
