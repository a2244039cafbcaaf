using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Records;

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
        if (_isArmed || Interval == TimeSpan.Zero || session.Running is not { } running || running.Length == (running.Saved?.Length ?? 0))
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
            await SaveAsync(running, maxUnsaved: 0);
        }
        catch (Exception fault)
        {
            LogMessages.NotSaved(activation.Logger, activation.Key, running.Id, LoggedException.Of(fault));
        }
    }

    /// <summary>Waits until no chunk is being written.</summary>
    public async ValueTask SettleAsync() =>
        await _last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

    /// <summary>Before the record of the session is written: no answer may have more text in the record than fits into a chunk.</summary>
    public async ValueTask SaveLongTextsAsync()
    {
        await SettleAsync();
        foreach (var question in session.InRecord.ToList())
        {
            if (question.Length - (question.Saved?.Length ?? 0) > MaxChunkBytes)
            {
                await SaveAsync(question, MaxChunkBytes);
            }
        }
    }

    public void Dispose() => _timer?.Dispose();

    private async Task OnDueAsync()
    {
        _isArmed = false;
        await SaveAsync();

        // What came meanwhile.
        Plan();
    }

    private Task SaveAsync(Question question, int maxUnsaved) => _last = SaveAfterAsync(_last, question, maxUnsaved);

    private async Task SaveAfterAsync(Task previous, Question question, int maxUnsaved)
    {
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        var saved = question.Saved ??= new();
        while (question.Length - saved.Length > maxUnsaved && !question.IsForgotten && !activation.Services.Eviction.IsEvicted)
        {
            if (_current is not { IsFull: false } || !_current.IsOf(question))
            {
                var number = Next++;
                saved.Begin(session.Log.Epoch, number);
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
