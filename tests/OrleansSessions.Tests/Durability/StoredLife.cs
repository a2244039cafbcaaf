using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Responders;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>What a client knows of one of its questions.</summary>
internal sealed record KnownQuestion(string Id, string Text)
{
    /// <summary>True once the client was told that it is accepted.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>Its end, once the client was told that.</summary>
    public QuestionDescription? End { get; set; }
}

/// <summary>
/// The scripted life of one session, and what its client has been told: short, middle and long questions, a queue, cancels, a sleep, more than the session
/// keeps, a removal, and a second life. It ends early where its store stops.
/// </summary>
internal sealed class StoredLife(StoredCluster cluster, string session, CrashPoint crash)
{
    /// <summary>As many questions as a session keeps here.</summary>
    public const int KeptQuestions = 6;

    private string? _lastSlot;

    /// <summary>The questions since the beginning, or since the removal.</summary>
    public List<KnownQuestion> Questions { get; } = [];

    /// <summary>Those that ended, in that order.</summary>
    public IEnumerable<KnownQuestion> Ended => Questions.Where(question => question.End is not null).OrderBy(question => question.End!.DoneSeq);

    /// <summary>True once the session may be removed, because the client has asked for it.</summary>
    public bool IsRemovalAsked { get; private set; }

    /// <summary>True once the client was told that the session is removed.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>True if the life was over before the store stopped.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The call that got no reply.</summary>
    public Task Pending { get; private set; } = Task.CompletedTask;

    private ISessionGrain Grain => cluster.Session(session);

    public async Task RunAsync()
    {
        IsComplete = await LiveAsync();
    }

    private async Task<bool> LiveAsync() =>
        await AnswerAsync("short", 200) && await AnswerAsync("middle", 2_500) && await QueueAndCancelAsync() && await AnswerSlowlyAsync("long", 7, 4_000)
        && await SleepAsync() && await AnswerAsync("first-after-sleep", 2_500) && await AnswerManyAsync() && await RemoveWhileOneRunsAsync()
        && await AnswerAsync("second-life", 2_500) && await AnswerAsync("second-life-long", 40_000) && await RemoveAsync();

    private async Task<bool> AnswerManyAsync()
    {
        for (var i = 0; i < KeptQuestions + 2; i++)
        {
            if (!await AnswerAsync($"more-{i}", i % 3 == 0 ? 18_000 : 2_000))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> QueueAndCancelAsync()
    {
        if (await AskAsync("running", 300) is not { } running
            || await AskAsync("queued", 300) is not { } queued
            || await AskAsync("given-up", 300) is not { } givenUp)
        {
            return false;
        }

        Script(running).Send(AnswerBook.AnswerTo(running.Text)[..100]);
        Script(queued).Send(AnswerBook.AnswerTo(queued.Text)).Finish();
        return await CallAsync(Grain.CancelAsync(givenUp.Id)) && await EndAsync(givenUp)
            && await CallAsync(Grain.CancelAsync(running.Id)) && await EndAsync(running)
            && await EndAsync(queued);
    }

    /// <summary>An answer in parts, each of which is saved before the next one comes.</summary>
    private async Task<bool> AnswerSlowlyAsync(string name, int parts, int partLength)
    {
        if (await AskAsync(name, parts * partLength) is not { } question)
        {
            return false;
        }

        var answer = AnswerBook.AnswerTo(question.Text);
        for (var i = 0; i < parts; i++)
        {
            _lastSlot = cluster.Rows.Of(StoredCluster.Key(session)).GetValueOrDefault(LastChunk());
            Script(question).Send(answer[(i * partLength)..Math.Min(answer.Length, (i + 1) * partLength)]);
            await Eventually.TrueAsync(IsSavedOrStopped, $"part {i} is saved");
            if (crash.Crashed.IsCompleted)
            {
                return false;
            }
        }

        Script(question).Finish();
        return await EndAsync(question);
    }

    private async Task<bool> AnswerAsync(string name, int length)
    {
        if (await AskAsync(name, length) is not { } question)
        {
            return false;
        }

        Script(question).Send(AnswerBook.AnswerTo(question.Text)).Finish();
        return await EndAsync(question);
    }

    private async Task<KnownQuestion?> AskAsync(string name, int length)
    {
        var question = new KnownQuestion(name, $"{name} of {session} #{length}");
        Questions.Add(question);
        var asking = Grain.AskAsync(question.Id, question.Text, IfBusy.Queue);
        if (!await CallAsync(asking))
        {
            return null;
        }

        Assert.Equal(AskOutcome.Accepted, (await asking).Outcome);
        question.IsAccepted = true;
        return question;
    }

    private async Task<bool> EndAsync(KnownQuestion question)
    {
        var ending = Grain.WaitForEndAsync(question.Id, TimeSpan.FromHours(1));
        if (!await CallAsync(ending))
        {
            return false;
        }

        question.End = await ending;
        Assert.NotNull(question.End?.End);
        return true;
    }

    private async Task<bool> SleepAsync()
    {
        await cluster.SleepAsync(session);
        return await CallAsync(Grain.DescribeAsync());
    }

    private async Task<bool> RemoveWhileOneRunsAsync() => await AskAsync("removed-while-it-runs", 300) is not null && await RemoveAsync();

    private async Task<bool> RemoveAsync()
    {
        (IsRemovalAsked, IsRemoved) = (true, false);
        if (!await CallAsync(Grain.RemoveAsync()))
        {
            return false;
        }

        Questions.Clear();
        (IsRemovalAsked, IsRemoved) = (false, true);
        return true;
    }

    private AnswerScript Script(KnownQuestion question) => cluster.Cluster.Responder.For(question.Text);

    private bool IsSavedOrStopped() =>
        crash.Crashed.IsCompleted || cluster.Rows.Of(StoredCluster.Key(session)).GetValueOrDefault(LastChunk()) is { } saved && saved != _lastSlot;

    private string LastChunk() =>
        cluster.Rows.Of(StoredCluster.Key(session)).Keys.Where(slot => slot.StartsWith("chunk.", StringComparison.Ordinal)).Max() ?? "";

    /// <summary>False if the store has stopped before the reply.</summary>
    private async Task<bool> CallAsync(Task call)
    {
        Pending = call;
        if (await Task.WhenAny(call, crash.Crashed).WaitAsync(StoredCluster.Patience) != call)
        {
            return false;
        }

        await call;
        return true;
    }
}
