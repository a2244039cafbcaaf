using System.Text.Json;
using OrleansSessions.Chaos.Checks;
using OrleansSessions.Chaos.Clients;
using OrleansSessions.Chaos.Plans;
using OrleansSessions.Chaos.Results;
using OrleansSessions.Chaos.Transcripts;

namespace OrleansSessions.Chaos.Rounds;

/// <summary>Plays the plan of one session with real clients. <see cref="RunAsync"/> is its whole life, in order.</summary>
internal sealed class Round
{
    /// <summary>How long a question and all that it needs may take while processes are lost, and its client waits longer from attempt to attempt. Beyond it, the session is stuck.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan HistoryPatience = TimeSpan.FromSeconds(30);

    private readonly RunParts _parts;
    private readonly RoundPlan _plan;
    private readonly Random _random;
    private readonly List<Transcript> _transcripts = [];
    private readonly List<ExpectedQuestion> _expected = [];
    private readonly List<OwnQuestion> _asked = [];
    private readonly List<Finding> _findings = [];
    private readonly Transcript _httpTranscript;
    private readonly HttpCaller _http;

    public Round(RunParts parts, RoundPlan plan, Random random)
    {
        (_parts, _plan, _random) = (parts, plan, random);
        _httpTranscript = NewTranscript("http", ClientKind.Http, isAsker: false);
        _http = new(parts, _httpTranscript, plan.Session, random);
    }

    public IReadOnlyList<Transcript> Transcripts => _transcripts;

    /// <summary>True if one of the clients had to wait long.</summary>
    public bool IsSlow => HasNote(Flow.SlowMark) || IsVerySlow;

    public bool IsVerySlow => HasNote(Flow.VerySlowMark);

    /// <summary>Plays all questions up to the last one, and checks everything. Returns what was found.</summary>
    /// <param name="isOver">True when no further question but the last one shall be asked.</param>
    /// <param name="cancellationToken">Ends the round at once, without checks.</param>
    public async Task<IReadOnlyList<Finding>> RunAsync(Func<bool> isOver, CancellationToken cancellationToken)
    {
        var follower = _plan.Kind switch
        {
            RoundKind.V1AndFollower => (IAsyncDisposable)new V1Client(_parts, NewTranscript("follower", ClientKind.V1), _plan.Session, OtherNode, NewRandom()),
            RoundKind.V1AndStream => new StreamClient(_parts, NewTranscript("follower", ClientKind.Stream), _plan.Session, OtherNode, NewRandom()),
            _ => null,
        };
        await using var asker = NewAsker();
        try
        {
            // 1. The questions.
            foreach (var planned in isOver() ? [] : _plan.Questions.SkipLast(1))
            {
                await RunClock.DelayAsync(planned.Pause, cancellationToken);
                if (isOver())
                {
                    break;
                }

                await PlayAsync(asker, planned, cancellationToken);
            }

            // 2. The session must still accept a question and answer it.
            await PlayAsync(asker, _plan.Questions[^1], cancellationToken);
        }
        catch (TimeoutException stuck)
        {
            _findings.Add(new(FindingKind.Stuck, _plan.Session, stuck.Message));
        }
        finally
        {
            if (follower is not null)
            {
                await follower.DisposeAsync();
            }
        }

        // 3. What is stored, and whether all of them saw the same.
        await asker.DisposeAsync();
        var record = new RoundRecord(_plan.Session, _expected, _transcripts, await ReadHistoryAsync(cancellationToken));
        var (found, ends) = RoundCheck.Run(record);
        _parts.Counts.Add(CountNames.Rounds);
        _parts.Counts.Add(CountNames.Frames, _transcripts.Sum(transcript => transcript.Entries.Count(entry => entry.Kind == EntryKind.Received)));
        foreach (var end in ends)
        {
            _parts.Counts.Add(CountNames.Accepted);
            _parts.Counts.Add($"{CountNames.Ended}{end.Status}{(end.Reason is null ? "" : "." + end.Reason)}");
        }

        return [.. _findings, .. found];
    }

    private int OtherNode => _parts.Other(_plan.FirstNode, _random);

    private bool HasNote(string mark) => _transcripts.Any(transcript => transcript.Entries.Any(
        entry => entry.Kind == EntryKind.Note && entry.Text.StartsWith(mark, StringComparison.Ordinal)));

    private async Task PlayAsync(Asker asker, PlannedQuestion planned, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var question = new OwnQuestion(planned.Id, planned.Text);
        Expect(planned);
        if (planned.Twist != QuestionTwist.WithoutId)
        {
            _asked.Add(question);
        }

        try
        {
            var asked = asker.AskAsync(question, hasId: planned.Twist != QuestionTwist.WithoutId, patience.Token);
            if (planned.Twist is not (QuestionTwist.None or QuestionTwist.WithoutId))
            {
                await RunClock.DelayAsync(planned.TwistAfter, patience.Token);
                await TwistAsync(asker, question, planned, patience.Token);
            }

            if (await asked.WaitAsync(patience.Token) is { Status: QuestionEnd.Refused } end)
            {
                _findings.Add(new(FindingKind.Wrong, _plan.Session, $"{planned.Id} was refused ({end.Reason}), at {_parts.Clock.Now.TotalSeconds:F1} s."));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"{planned.Id} ({planned.Twist}) did not end within {Patience.TotalSeconds} s, at {_parts.Clock.Now.TotalSeconds:F1} s. "
                + $"It was {(question.IsAccepted ? "" : "not ")}accepted.");
        }
    }

    private async Task TwistAsync(Asker asker, OwnQuestion question, PlannedQuestion planned, CancellationToken cancellationToken)
    {
        switch (planned.Twist)
        {
            case QuestionTwist.Cancel:
                await asker.CancelAsync(question, _http, _random.Next(_parts.Nodes), cancellationToken);
                break;
            case QuestionTwist.CancelElsewhere:
                await _http.CallAsync(HttpMethod.Post, OtherNode, $"/questions/{question.Id}/cancel", "{}", cancellationToken);
                break;
            case QuestionTwist.AskAgain:
                await asker.AskAgainAsync(question, cancellationToken);
                break;
            case QuestionTwist.AskBusy or QuestionTwist.Queue or QuestionTwist.Replace:
                var ifBusy = planned.Twist switch { QuestionTwist.Queue => "queue", QuestionTwist.Replace => "replace", _ => null };
                var other = new OwnQuestion(planned.OtherId, planned.OtherText, ifBusy, givesUpIfBusy: planned.Twist == QuestionTwist.AskBusy);
                _asked.Add(other);
                await asker.AskAsync(other, hasId: true, cancellationToken).WaitAsync(cancellationToken);
                break;
            default:
                break;
        }
    }

    // A basic client that lost a question without an id does not know whether it was accepted: the next question may replace it.
    private void Expect(PlannedQuestion planned)
    {
        var hasId = planned.Twist != QuestionTwist.WithoutId;
        _expected.Add(new(
            hasId ? planned.Id : null, planned.Text, MayBeCancelled: planned.Twist is QuestionTwist.Cancel or QuestionTwist.CancelElsewhere,
            MayBeReplaced: planned.Twist is QuestionTwist.Replace or QuestionTwist.WithoutId));
        if (planned.Twist is QuestionTwist.AskBusy or QuestionTwist.Queue or QuestionTwist.Replace)
        {
            _expected.Add(new(planned.OtherId, planned.OtherText, MayBeReplaced: planned.Twist == QuestionTwist.Replace));
        }
    }

    /// <summary>
    /// Reads the stored questions, as soon as none of them is open any more. A node that was frozen and is not yet gone can tell what it knew before, so
    /// a list that misses something is read again. What is lost stays away.
    /// </summary>
    private async Task<JsonElement?> ReadHistoryAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(HistoryPatience);
        JsonElement? last = null;
        try
        {
            while (true)
            {
                var reply = await _http.UntilAsync(HttpMethod.Get, "/questions?limit=100", null, patience.Token);
                last = reply.Status == 200 ? reply.Body : null;
                if (last is { } history && IsWhole(history))
                {
                    return history;
                }

                _parts.Counts.Add(CountNames.StaleHistories);
                await RunClock.DelayAsync(TimeSpan.FromSeconds(1), patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return last;
        }
    }

    private bool IsWhole(JsonElement history)
    {
        var ended = history.GetProperty("questions").EnumerateArray().Where(question => question.TryGetProperty("status", out _))
            .Select(question => question.GetProperty("question_id").GetString()).ToHashSet();
        return ended.Count == history.GetProperty("questions").GetArrayLength()
            && _asked.Where(question => question.IsAccepted).All(question => ended.Contains(question.Id));
    }

    private Asker NewAsker() => _plan.Kind switch
    {
        RoundKind.Basic => new BasicAsker(new(_parts, NewTranscript("asker", ClientKind.Basic, isAsker: true), _plan.Session, _plan.FirstNode, NewRandom())),
        RoundKind.Stream => new StreamAsker(new(_parts, NewTranscript("asker", ClientKind.Stream, isAsker: true), _plan.Session, _plan.FirstNode, NewRandom())),
        _ => new V1Asker(new(_parts, NewTranscript("asker", ClientKind.V1, isAsker: true), _plan.Session, _plan.FirstNode, NewRandom())),
    };

    private Random NewRandom() => new(_random.Next());

    private Transcript NewTranscript(string role, ClientKind kind, bool isAsker = false)
    {
        var transcript = new Transcript($"{_plan.Session}.{role}", kind, isAsker);
        _transcripts.Add(transcript);
        return transcript;
    }
}
