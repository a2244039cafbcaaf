using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Runs the responder for the running question of one session, and takes its text into the log.</summary>
/// <param name="applyAsync">Carries out what the text or its end has changed. It does not throw.</param>
internal sealed partial class QuestionRunner(SessionActivation activation, Session session, ActiveResponder responder, Func<ValueTask> applyAsync)
{
    /// <summary>How long a turn may go on taking text before other calls get theirs.</summary>
    private static readonly TimeSpan TurnLimit = TimeSpan.FromMilliseconds(1);

    private readonly LingeringRuns _lingering = new(activation.Services.Time);
    private Question? _question;
    private ResponderRun? _run;

    /// <summary>Gives the running question its responder, unless it has it already or is answered from outside.</summary>
    public void Run(Question? running)
    {
        if (running is not null && !ReferenceEquals(running, _question))
        {
            _question = running;
            if (!running.IsAnsweredFromOutside)
            {
                Start(running);
            }
        }
    }

    /// <summary>True while a question has its responder, or its answer from outside is awaited.</summary>
    public bool Has(Question question) => ReferenceEquals(question, _question);

    /// <summary>
    /// Takes from the run when its responder was last known to be alive. A sign of life without text causes no turn of the grain, so call this before
    /// looking at deadlines.
    /// </summary>
    public void TakeSign()
    {
        // The run of a question that has ended, or of an earlier attempt, says nothing about the question that runs now.
        if (_run is { LastSign: { } sign } run && session.Running is { } running && ReferenceEquals(running, _question) && run.Attempt == running.Attempt)
        {
            running.NoteSign(activation.Clock.At(sign));
        }
    }

    /// <summary>A question has ended: if it is the one that runs here, it gets the usage that is known by now, and its responder must stop.</summary>
    public void OnEnded(Question question)
    {
        if (ReferenceEquals(question, _question))
        {
            question.Usage = _run?.Usage;
            CancelRun();
        }
    }

    /// <summary>Stops the responder and takes nothing more from it. Waits a while for all responders that must stop.</summary>
    public async Task StopAsync()
    {
        CancelRun();
        if (!await _lingering.WaitUntilStoppedAsync())
        {
            LogMessages.Lingers(activation.Logger, activation.Key, LingeringRuns.Patience);
        }
    }

    private void CancelRun()
    {
        _question = null;
        if (_run is { } run)
        {
            run.Cancel();
            _lingering.Add(run);
            _run = null;
        }
    }

    private void Start(Question question)
    {
        var waitForRoom = _lingering.FindWaitForRoom();
        if (waitForRoom is not null)
        {
            LogMessages.WaitsForRoom(activation.Logger, activation.Key, question.Id, _lingering.Count);
        }

        _run = ResponderRun.Start(
            responder,
            new ResponderContext
            {
                SessionKey = activation.Key,
                QuestionId = question.Id,
                Question = question.Text,
                History = session.History(),
                MetadataJson = question.MetadataJson,
                OptionsJson = question.OptionsJson,
                User = question.User,
                TraceParent = question.TraceParent,
                Attempt = question.Attempt,
                AnswerSoFar = question.Answer,
            },
            waitForRoom,
            activation.Services.Time,
            activation.Logger);
        FollowAsync(question, question.Attempt, _run).Ignore();
    }

    /// <summary>Takes what a run gives, until its end. A fault of this code ends the question too, so that it does not hang until its deadline.</summary>
    private async Task FollowAsync(Question question, int attempt, ResponderRun run)
    {
        try
        {
            await TakeTextAsync(question, attempt, run);
            if (IsCurrent(run) && run.Ending is { } ending)
            {
                session.TryEnd(question, attempt, ending, activation.Now);
            }
        }
        catch (Exception fault)
        {
            LogMessages.FollowFailed(activation.Logger, activation.Key, question.Id, LoggedException.Of(fault));
            session.TryEnd(question, attempt, Ending.Failed(DoneReasons.ResponderError, "The answer could not be taken."), activation.Now);
        }

        await applyAsync();
    }

    /// <summary>Takes a run's text into the log, until there is no more or its question has ended. The last text is applied together with the end.</summary>
    private async Task TakeTextAsync(Question question, int attempt, ResponderRun run)
    {
        var time = activation.Services.Time;
        var window = activation.Options.CoalesceWindow;
        var turnStart = time.GetTimestamp();
        while (await run.WaitForTextAsync())
        {
            if (time.GetElapsedTime(turnStart) > TurnLimit)
            {
                await Task.Yield();
                turnStart = time.GetTimestamp();
            }

            // What is still buffered when its question has ended, or the activation leaves, does not count any more.
            if (!IsCurrent(run) || !session.TryAppend(question, attempt, run.TakeText(), activation.Now) || question.IsFinal || run.IsDrained)
            {
                return;
            }

            await applyAsync();
            if (window > TimeSpan.Zero)
            {
                await Task.Delay(window, time);
            }
        }
    }

    private bool IsCurrent(ResponderRun run) => ReferenceEquals(run, _run);

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "Session {SessionKey}: a responder did not stop within {Patience} and is left behind")]
        public static partial void Lingers(ILogger logger, string sessionKey, TimeSpan patience);

        [LoggerMessage(2, LogLevel.Debug, "Session {SessionKey}: question {QuestionId} waits, because {Count} earlier responders have not stopped yet")]
        public static partial void WaitsForRoom(ILogger logger, string sessionKey, string questionId, int count);

        [LoggerMessage(3, LogLevel.Error, "Session {SessionKey}: the answer to question {QuestionId} could not be taken")]
        public static partial void FollowFailed(ILogger logger, string sessionKey, string questionId, LoggedException fault);
    }
}
