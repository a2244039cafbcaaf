using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Records;
using OrleansSessions.Protocol;
using OrleansSessions.Tests.Sessions.Model;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>An answer in chunks: what is written, and what is read where a write had no reply or came late.</summary>
public sealed class SavedAnswerTests
{
    private static readonly GrainId Session = GrainId.Create("orleanssessions.session", "/s");

    [Fact]
    public async Task AFullChunk_WhoseWriteHadNoReply_IsWrittenAgain_AndNoOtherTakesItsText()
    {
        var store = new ModelStore();
        var question = new Question("a", "why", default) { Saved = new() };
        question.AppendDelta(new string('x', 10_000), 10_000);
        question.AppendDelta(new string('y', 10_000), 10_000);
        var chunk = new GrowingChunk(new SessionSlots(store.Of(this), Session, ModelStore.Forms).Chunk(1, 0), question, 16 * 1024);

        var write = chunk.WriteAsync();
        store.Finish(store[0], StoreOutcome.ReplyLost);
        await Assert.ThrowsAsync<TimeoutException>(() => write);
        Assert.Equal((false, 0), (chunk.IsFull, question.Saved.Length));

        await FinishAsync(store, chunk.WriteAsync());

        Assert.Equal((true, 10_000), (chunk.IsFull, question.Saved.Length));
        Assert.Equal(10_000, store.Peek<ChunkState>("chunk.1.0")!.Text.Length);
    }

    [Fact]
    public void AChunkThatGrewAfterItsProcessWasLost_ChangesNoEndedAnswer()
    {
        var text = new ReadText();
        text.TryAdd(new() { Text = "abcd", Deltas = [2, 2] });

        var question = new QuestionState { Id = "a", Text = "why", Status = QuestionStatus.Failed, SavedLength = 2 }.ToQuestion(text);

        Assert.Equal(("ab", 1), (question.Answer, question.Deltas));
    }

    [Fact]
    public void AChunk_TakesThePlaceOfWhatGrewBeforeIt_AndNeverFollowsAHole()
    {
        var text = new ReadText();
        Assert.True(text.TryAdd(new() { Text = "abXX", Deltas = [2, 2] }));
        Assert.True(text.TryAdd(new() { Text = "cd", Deltas = [2], Start = 2 }));
        Assert.False(text.TryAdd(new() { Text = "gh", Deltas = [2], Start = 6 }));

        var question = new QuestionState { Id = "a", Text = "why", Status = QuestionStatus.Answering, SavedLength = 4 }.ToQuestion(text);

        Assert.Equal(("abcd", 2), (question.Answer, question.Deltas));
    }

    private static async Task FinishAsync(ModelStore store, Task writing)
    {
        while (!writing.IsCompleted)
        {
            if (store.PendingCount > 0)
            {
                store.Finish(store[0]);
            }

            await Task.Yield();
        }

        await writing;
    }
}
