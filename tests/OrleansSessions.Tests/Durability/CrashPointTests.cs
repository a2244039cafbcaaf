using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Grains.States;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Stores;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>A process stops at each write of the life of a session, before that write or after it, and another one takes the session up.</summary>
public sealed class CrashPointTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int SideBySide = 8;
    private const int MaxChanges = 300;

    private readonly StoredRows _rows = new();
    private readonly ConcurrentDictionary<string, CrashPoint> _crashes = new();
    private readonly ConcurrentDictionary<string, int> _left = new();
    private StoredCluster _first = null!;
    private StoredCluster _second = null!;

    public async ValueTask InitializeAsync()
    {
        // A crash is that of one session: the store of the others does not hang.
        _first = await StoredCluster.StartAsync(_rows, Configure, configureSilo: silo => silo.Services.AddSingleton(provider =>
            new StoreWatch(provider.GetRequiredService<StoreHealth>(), provider.GetRequiredKeyedService<TimeProvider>(TimeProviderNames.Grains))
            {
                OperationLimit = Timeout.InfiniteTimeSpan,
            }));
        _first.Store.Before = operation => _crashes.TryGetValue(operation.Grain, out var crash) ? crash.BeforeAsync(operation) : Task.CompletedTask;
        _first.Store.After = operation => _crashes.TryGetValue(operation.Grain, out var crash) ? crash.AfterAsync(operation) : Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var crash in _crashes.Values)
        {
            crash.Thaw();
        }

        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Theory]
    [InlineData(RecoveryMode.Continue, true)]
    [InlineData(RecoveryMode.AskAgain, true)]
    [InlineData(RecoveryMode.AskAgain, false)]
    [InlineData(RecoveryMode.Fail, true)]
    public async Task AtAnyWrite_ACrashLosesNothingThatWasVisible_AndTheCrashedOneChangesNothingLater(RecoveryMode recovery, bool thaws)
    {
        _second = await StoredCluster.StartAsync(_rows, Configure, configureSilo: silo =>
        {
            silo.Services.AddSingleton(new AnswerBook(recovery));
            silo.Services.AddResponder<AnswerBook>("scripted");
        });

        var (change, isComplete) = (1, false);
        for (; !isComplete; change += SideBySide)
        {
            Assert.InRange(change, 1, MaxChanges);
            var lives = Enumerable.Range(change, SideBySide)
                .SelectMany(number => new[] { LiveAsync(number, false, thaws), LiveAsync(number, true, thaws) });
            isComplete = (await Task.WhenAll(lives)).Contains(true);
        }

        output.WriteLine($"crashes before and after each of about {change} writes; left after the removal of {_left.Count}: {string.Join(", ", _left.Values.Order())}");

        // What a crash leaves is one turn's cleaning that was not done, or one answer's text that the crashed one wrote later, where no one reads.
        Assert.All(_left, left => Assert.InRange(left.Value, 1, thaws ? 3 : 5));
    }

    private static void Configure(SessionsOptions options)
    {
        (options.KeptQuestions, options.KeptBytes, options.HistoryBytes) = (StoredLife.KeptQuestions, 10_000_000, 4_096);
        options.CheckpointInterval = TimeSpan.FromMilliseconds(15);
    }

    /// <returns>True if the life was over before the crash.</returns>
    private async Task<bool> LiveAsync(int change, bool isApplied, bool thaws)
    {
        var session = $"s-{change}-{(isApplied ? "after" : "before")}";
        var crash = _crashes[StoredCluster.Key(session)] = new CrashPoint(change, isApplied);
        var life = new StoredLife(_first, session, crash);
        try
        {
            await life.RunAsync();
            if (life.IsComplete)
            {
                Assert.Empty(_rows.Of(StoredCluster.Key(session)));
                return true;
            }

            await TakeUpAsync(session, life);
            if (thaws)
            {
                await ThawAsync(session, life, crash);
            }

            await RemoveAsync(session);
            return false;
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"At change {change}, {(isApplied ? "with its reply lost" : "before it")}: {fault.Message}", fault);
        }
    }

    private async Task TakeUpAsync(string session, StoredLife life)
    {
        // 1. What was open ends.
        var grain = _second.Session(session);
        foreach (var open in (await grain.DescribeAsync())?.Open ?? [])
        {
            await _second.EndOfAsync(session, open.QuestionId);
        }

        // 2. What is there is whole.
        var questions = await grain.ListQuestionsAsync(1_000);
        Assert.All(questions, AssertWhole);

        // 3. What was visible is there, except for the oldest.
        if (!life.IsRemovalAsked || questions.Count > 0)
        {
            AssertHasVisible(life, questions);
        }

        // 4. The log has no hole.
        await AssertLogAsync(grain);

        // 5. The session goes on.
        Assert.Equal(AskOutcome.Accepted, (await grain.AskAsync("after", $"after of {session} #500")).Outcome);
        var after = await _second.EndOfAsync(session, "after");
        Assert.Equal(QuestionStatus.Completed, after.Status);
        AssertWhole(after);
    }

    private static void AssertWhole(QuestionDescription question)
    {
        var expected = AnswerBook.AnswerTo(question.Question);
        if (question.Status == QuestionStatus.Completed)
        {
            Assert.Equal(expected, question.Text);
        }
        else
        {
            Assert.StartsWith(question.Text, expected, StringComparison.Ordinal);
        }

        Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(question.Text), question.Bytes);
        Assert.Equal(question.Bytes, question.End!.Bytes);
    }

    private static void AssertHasVisible(StoredLife life, IReadOnlyList<QuestionDescription> questions)
    {
        var isNewer = false;
        foreach (var known in life.Ended)
        {
            var found = questions.FirstOrDefault(question => question.QuestionId == known.Id);
            Assert.False(isNewer && found is null, $"{known.Id} is lost, but an older one is there");
            isNewer |= found is not null;
            if (found is not null)
            {
                Assert.Equal((known.End!.Text, known.End.End), (found.Text, found.End));
            }
        }

        var open = life.Questions.Where(known => known.IsAccepted && known.End is null);
        Assert.All(open, known => Assert.Contains(questions, question => question.QuestionId == known.Id));
        Assert.All(questions, question => Assert.Contains(life.Questions, known => known.Id == question.QuestionId));
        if (life.Questions.Count <= StoredLife.KeptQuestions)
        {
            Assert.All(life.Ended, known => Assert.Contains(questions, question => question.QuestionId == known.Id));
        }
        else
        {
            Assert.InRange(questions.Count, 3, int.MaxValue);
        }
    }

    private static async Task AssertLogAsync(ISessionGrain grain)
    {
        if (await grain.DescribeAsync() is not { Seq: > 0 } described)
        {
            return;
        }

        var (after, seqs) = (described.OldestSeq - 1, new List<long>());
        for (LogPiece? piece = null; piece is not { IsAtHead: true }; after = seqs.LastOrDefault(after))
        {
            piece = await grain.ReadLogAsync(described.Epoch, after);
            Assert.Equal(LogReadOutcome.Recovered, piece.Outcome);
            seqs.AddRange(piece.Events.Select(logged => logged.Seq));
        }

        Assert.Equal(Enumerable.Range(0, (int)(described.Seq - described.OldestSeq + 1)).Select(number => described.OldestSeq + number), seqs);
    }

    /// <summary>The stopped process goes on: with its pending call, with its background, and with another question.</summary>
    private async Task ThawAsync(string session, StoredLife life, CrashPoint crash)
    {
        var before = await _second.Session(session).ListQuestionsAsync(1_000);
        var record = _rows.Of(StoredCluster.Key(session))["record"];
        crash.Thaw();
        await Record.ExceptionAsync(() => life.Pending.WaitAsync(StoredCluster.Patience));
        var late = _first.Session(session).AskAsync("late", $"late of {session} #300", IfBusy.Replace);
        var hasGivenUp = await Record.ExceptionAsync(() => late) is not null;
        if (hasGivenUp)
        {
            Assert.Equal(record, _rows.Of(StoredCluster.Key(session))["record"]);
        }
        else
        {
            // This is the next activation, which has read what the other process has stored.
            Assert.NotNull(await _first.Session(session).GetQuestionAsync("after"));
        }

        await _second.SleepAsync(session);
        var questions = await _second.Session(session).ListQuestionsAsync(1_000);
        var kept = before.SkipWhile(question => questions[0].QuestionId != question.QuestionId).ToList();
        Assert.Equal(kept.Select(TextOf), questions.Take(kept.Count).Select(TextOf));
        Assert.Equal("after", kept[^1].QuestionId);
        if (hasGivenUp)
        {
            Assert.Equal(before.Count, kept.Count);
        }
    }

    private static (string Id, string Text) TextOf(QuestionDescription question) => (question.QuestionId, question.Text);

    private async Task RemoveAsync(string session)
    {
        Assert.True(await _second.Session(session).RemoveAsync());
        if (_rows.Of(StoredCluster.Key(session)) is { Count: > 0 } left)
        {
            Assert.DoesNotContain("record", left.Keys);
            _left[$"{session}: {string.Join(' ', left.Keys)}"] = left.Count;
        }
    }
}
