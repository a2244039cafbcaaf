using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Records;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// Saves the text of the running answer in chunks while it grows, so that little is missing after a crash, and so that the end of a long answer writes no long
/// text. Nothing waits for a checkpoint but the write that ends the question.
/// </summary>
internal sealed partial class AnswerCheckpoints(SessionActivation activation, Session session, SessionSlots slots) : IDisposable
{
    /// <summary>The most UTF-8 bytes of a chunk, and the most text that is written again by a checkpoint.</summary>
    private const int MaxChunkBytes = 16 * 1024;

    private GrowingChunk? _current;
    private Task _last = Task.CompletedTask;
    private IGrainTimer? _timer;
    private bool _isArmed;

    /// <summary>The number of the next chunk of this epoch.</summary>
    public int Next { get; set; }

    private TimeSpan Interval => activation.Options.CheckpointInterval;

    /// <summary>Sets the timer if the running answer has text that is not saved. Cheap: it is called at every delta.</summary>
    public void Plan()
    {
        if (_isArmed || Interval == TimeSpan.Zero || session.Running is not { } running || Unsaved(running) == 0)
        {
            return;
        }

        _isArmed = true;
        if (_timer is null)
        {
            _timer = activation.Grain.RegisterGrainTimer(
                static checkpoints => checkpoints.OnDueAsync(), this, new() { DueTime = Interval, Period = Timeout.InfiniteTimeSpan, Interleave = true });
        }
        else
        {
            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Saves all of the running answer. Never throws.</summary>
    public async Task SaveAsync()
    {
        if (session.Running is not { } running)
        {
            return;
        }

        try
        {
            await SaveAsync(running, IsGrowing);
        }
        catch (StoreUnavailableException)
        {
            // The outage has its line in the log.
        }
        catch (Exception fault)
        {
            LogMessages.NotSaved(activation.Logger, activation.Key, running.Id, LoggedException.Of(fault));
        }
    }

    /// <summary>Waits until no chunk is being written.</summary>
    public async ValueTask SettleAsync()
    {
        while (!_last.IsCompleted)
        {
            await _last.UntilEnd();
        }
    }

    /// <summary>
    /// Before the record of the session is written: no answer may have more text in the record than fits into a chunk. When this returns no chunk is being
    /// written, so the record names them all.
    /// </summary>
    public async ValueTask SaveLongTextsAsync()
    {
        await SettleAsync();
        while (session.InRecord.FirstOrDefault(IsTooLong) is { } question)
        {
            activation.Services.Eviction.ThrowIfEvicted();
            await SaveAsync(question, IsTooLong);

            // Meanwhile text can have come, and a checkpoint begun.
            await SettleAsync();
        }
    }

    public void Dispose() => _timer?.Dispose();

    private static bool IsTooLong(Question question) => Unsaved(question) > MaxChunkBytes;

    /// <summary>An answer that has ended gets no chunk from a checkpoint: its record can be written already, and would not name it.</summary>
    private static bool IsGrowing(Question question) => Unsaved(question) > 0 && !question.IsFinal;

    private static int Unsaved(Question question) => question.Length - (question.Saved?.Length ?? 0);

    private async Task OnDueAsync()
    {
        _isArmed = false;
        await SaveAsync();

        // What came meanwhile.
        Plan();
    }

    private Task SaveAsync(Question question, Func<Question, bool> isDue) => _last = SaveAfterAsync(_last, question, isDue);

    private async Task SaveAfterAsync(Task previous, Question question, Func<Question, bool> isDue)
    {
        await previous.UntilEnd();
        while (isDue(question) && !question.IsForgotten && !activation.Services.Eviction.IsEvicted)
        {
            if (_current is not { IsFull: false } || !_current.IsOf(question))
            {
                var number = Next++;
                (question.Saved ??= new()).Begin(session.Log.Epoch, number);
                _current = new(slots.Chunk(session.Log.Epoch, number), question, MaxChunkBytes);
            }

            await _current.WriteAsync();
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "Session {SessionKey}: the text of question {QuestionId} could not be saved; it is tried again")]
        public static partial void NotSaved(ILogger logger, string sessionKey, string questionId, LoggedException fault);
    }
}
