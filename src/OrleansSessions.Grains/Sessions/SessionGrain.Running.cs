using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

// The running question: its responder, its timers, its end.
internal sealed partial class SessionGrain
{
    /// <summary>How long a deactivation, or a question that finds too many of them, waits for responders to let go.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    /// <summary>How long a turn may go on taking text before other calls get theirs.</summary>
    private static readonly TimeSpan TurnLimit = TimeSpan.FromMilliseconds(1);

    /// <summary>Responders of ended questions that may still be letting go. One more, and the next question waits for them, then fails: they ignore their tokens.</summary>
    private const int MaxLingeringRuns = 4;

    private readonly List<ResponderRun> _lingering = [];
    private readonly Dictionary<string, TaskCompletionSource> _waiters = [];
    private Question? _runningQuestion;
    private ResponderRun? _run;
    private IGrainTimer? _timer;
    private DateTimeOffset? _armedFor;
    private int _reportedWaiting;
    private int _reportedQueued;

    public async Task<QuestionDescription?> WaitForEndAsync(WaitForEndRequest request)
    {
        if (_session.DescribeQuestion(request.QuestionId, Now) is { End: null })
        {
            if (!_waiters.TryGetValue(request.QuestionId, out var ended))
            {
                _waiters[request.QuestionId] = ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await Task.WhenAny(ended.Task, Task.Delay(request.Patience, _services.Time));
        }

        await SettleAsync();
        return EndCall(_session.DescribeQuestion(request.QuestionId, Now));
    }

    /// <summary>Gives the open question its responder, if it has none yet, and sets the timer.</summary>
    private void RunNext()
    {
        if (_session.Running is { } question && !ReferenceEquals(question, _runningQuestion))
        {
            _runningQuestion = question;
            if (!question.IsAnsweredFromOutside)
            {
                StartRun(question, _services.Responder.Responder ?? MissingResponder.Instance);
            }
        }

        ReportWaiting(_session.HasOpenQuestion ? 1 : 0, _session.Queue.Count);
        ArmTimer();
    }

    private void StartRun(Question question, IResponder responder)
    {
        _lingering.RemoveAll(run => run.Stopped.IsCompleted);
        if (_lingering.Count >= MaxLingeringRuns)
        {
            LogMessages.TooManyLingering(_logger, _key, question.Id, _lingering.Count);
            responder = new LingeringRuns(_lingering.ConvertAll(run => run.Stopped), MaxLingeringRuns, responder, StopPatience, _services.Time);
        }

        _run = ResponderRun.Start(
            responder,
            new ResponderContext
            {
                SessionKey = _key,
                QuestionId = question.Id,
                Question = question.Text,
                History = _session.History(),
                MetadataJson = question.MetadataJson,
                Attempt = question.Attempt,
            },
            _services.Responder.LogsMessages,
            _logger);
        FollowAsync(question, question.Attempt, _run).Ignore();
    }

    /// <summary>Follows a run to its end. A fault of ours on the way ends the question too, so that it does not hang until its deadline.</summary>
    private async Task FollowAsync(Question question, int attempt, ResponderRun run)
    {
        try
        {
            var hasEnded = await TakeTextAsync(question, attempt, run);
            if (!hasEnded && IsFollowed(run) && run.End is { } end)
            {
                hasEnded = _session.TryEnd(question, attempt, end.Status, end.Reason, end.Message, end.IsRetryable, Now);
            }

            if (hasEnded)
            {
                await CommitInBackgroundAsync();
            }
        }
        catch (Exception fault)
        {
            LogMessages.FollowFailed(_logger, _key, question.Id, LoggedException.Of(fault));
            if (_session.TryEnd(question, attempt, QuestionStatus.Failed, DoneReasons.ResponderError, "The answer could not be taken.", true, Now))
            {
                await CommitInBackgroundAsync();
            }
        }
    }

    /// <summary>Takes a run's text into the log, until there is no more or its question has ended. True if the text itself ended it, by its size.</summary>
    private async Task<bool> TakeTextAsync(Question question, int attempt, ResponderRun run)
    {
        var window = _services.Options.CoalesceWindow;
        var turnStart = _services.Time.GetTimestamp();
        while (await run.WaitForTextAsync())
        {
            if (_services.Time.GetElapsedTime(turnStart) > TurnLimit)
            {
                await Task.Yield();
                turnStart = _services.Time.GetTimestamp();
            }

            // What is still buffered when its question has ended, or the activation leaves, counts no more.
            if (!IsFollowed(run) || !_session.TryAppend(question, attempt, run.TakeText(), Now))
            {
                return false;
            }

            if (question.IsFinal || run.IsDrained)
            {
                // A run that has ended already: its last text and its end leave together.
                return question.IsFinal;
            }

            // The first text can move the deadline forward.
            ArmTimer();
            ShowText();
            if (window > TimeSpan.Zero)
            {
                await Task.Delay(window, _services.Time);
            }
        }

        return false;
    }

    private bool IsFollowed(ResponderRun run) => ReferenceEquals(run, _run);

    /// <summary>In the turn in which a question ends: its responder is told to stop, and who waits is told.</summary>
    private void OnQuestionEnded(Question question)
    {
        if (ReferenceEquals(question, _runningQuestion))
        {
            _runningQuestion = null;
            if (_run is { } run)
            {
                run.Cancel();
                if (!run.Stopped.IsCompleted)
                {
                    _lingering.Add(run);
                }

                _run = null;
            }
        }

        if (_waiters.Remove(question.Id, out var waiter))
        {
            waiter.TrySetResult();
        }

        _services.Metrics.QuestionEnded(question.End!);
        LogMessages.Ended(_logger, _key, question.Id, question.Status, question.End!.Reason);
    }

    private async Task StopRunsAsync()
    {
        _timer?.Dispose();
        if (_run is { } run)
        {
            run.Cancel();
            _lingering.Add(run);
            _run = null;
        }

        // The session may not append any more, whatever still comes.
        _runningQuestion = null;
        foreach (var waiter in _waiters.Values)
        {
            waiter.TrySetResult();
        }

        var stopped = Task.WhenAll(_lingering.Select(lingering => lingering.Stopped));
        await Task.WhenAny(stopped, Task.Delay(StopPatience, TimeProvider.System));
        if (!stopped.IsCompleted)
        {
            LogMessages.ResponderLingers(_logger, _key, StopPatience);
        }
    }

    /// <summary>Before a question is asked: deadlines follow the monotonic clock, so the wall clock is read only while there are none.</summary>
    private void SetClock()
    {
        if (!_session.HasOpenQuestion)
        {
            _clock.Set();
            _armedFor = null;
        }
    }

    /// <summary>Sets the timer for the next deadline. Where nothing is open it stops it, because its call would keep an idle session awake.</summary>
    private void ArmTimer()
    {
        if (_session.NextDeadline() is not { } deadline)
        {
            if (_armedFor is not null)
            {
                _armedFor = null;
                _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }

            return;
        }

        // The timer keeps the activation alive while a question is open, so it must fire within the collection age.
        var now = Now;
        var latest = now + (_services.Options.CollectionAge / 2);
        var due = deadline < latest ? deadline : latest;
        if (_armedFor is { } armed && armed <= due)
        {
            return;
        }

        _armedFor = due;
        var delay = due > now ? due - now : TimeSpan.Zero;
        if (_timer is null)
        {
            _timer = this.RegisterGrainTimer(
                static grain => grain.OnTimerAsync(), this, new() { DueTime = delay, Period = Timeout.InfiniteTimeSpan, KeepAlive = true, Interleave = true });
        }
        else
        {
            _timer.Change(delay, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task OnTimerAsync()
    {
        _armedFor = null;
        if (_session.EndOverdue(Now))
        {
            await CommitInBackgroundAsync();
        }
        else
        {
            ArmTimer();
        }
    }

    private void ReportWaiting(int waiting, int queued)
    {
        _services.Metrics.WaitingChanged(waiting - _reportedWaiting, queued - _reportedQueued);
        (_reportedWaiting, _reportedQueued) = (waiting, queued);
    }
}
