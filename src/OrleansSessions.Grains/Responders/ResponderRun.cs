using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

/// <summary>
/// One attempt at one question: the responder works on the thread pool and hands its text over through a bounded buffer,
/// so whatever it does, the session's grain goes on answering. While the buffer is full, the responder waits.
/// </summary>
internal sealed partial class ResponderRun
{
    private const int BufferedPieces = 64;
    private const int MaxDeltaLength = 16 * 1024;
    private const long NoSign = long.MinValue;

    private readonly CancellationTokenSource _cancel = new();
    private readonly Channel<string> _pieces = Channel.CreateBounded<string>(new BoundedChannelOptions(BufferedPieces)
    {
        FullMode = BoundedChannelFullMode.Wait,
        SingleReader = true,
        SingleWriter = true,
    });

    private readonly ActiveResponder _responder;
    private readonly ResponderContext _context;
    private readonly Func<CancellationToken, Task>? _waitForRoom;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _lastSign = NoSign;
    private volatile AnswerUsage? _usage;

    private ResponderRun(
        ActiveResponder responder, ResponderContext context, Func<CancellationToken, Task>? waitForRoom, TimeProvider time, ILogger logger)
    {
        _responder = responder;
        _context = context;
        _waitForRoom = waitForRoom;
        _time = time;
        _logger = logger;
        Stopped = Task.Factory.StartNew(PumpAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, responder.Scheduler).Unwrap();
    }

    /// <summary>Completes once the responder has stopped; one that ignores its token may take as long as it likes.</summary>
    public Task Stopped { get; }

    /// <summary>How the question ends, once <see cref="WaitForTextAsync"/> has said that there is no more text; null if the run was cancelled.</summary>
    public Ending? Ending { get; private set; }

    /// <summary>Which attempt at its question this is.</summary>
    public int Attempt => _context.Attempt;

    /// <summary>
    /// The timestamp of the last piece, whatever was in it; null before the first. The responder's thread writes it and the grain reads it when it looks
    /// at deadlines: a model that thinks gives many signs of life, and none of them may cost a turn of the grain.
    /// </summary>
    public long? LastSign => Volatile.Read(ref _lastSign) is var timestamp && timestamp != NoSign ? timestamp : null;

    /// <summary>What the answer has used so far, or null as long as the responder has not said.</summary>
    public AnswerUsage? Usage => _usage;

    /// <param name="waitForRoom">What it waits for before it asks the responder, or null.</param>
    /// <param name="time">The clock of the session.</param>
    public static ResponderRun Start(
        ActiveResponder responder, ResponderContext context, Func<CancellationToken, Task>? waitForRoom, TimeProvider time, ILogger logger) =>
        new(responder, context, waitForRoom, time, logger);

    /// <summary>True if there will be no more text than what has been taken.</summary>
    public bool IsDrained => _pieces.Reader.Completion.IsCompleted;

    /// <summary>Waits for text. False if there will be none.</summary>
    public ValueTask<bool> WaitForTextAsync() => _pieces.Reader.WaitToReadAsync(CancellationToken.None);

    /// <summary>All the text that has gathered, joined: what comes while an earlier delta is being published becomes one delta.</summary>
    public string TakeText()
    {
        if (!_pieces.Reader.TryRead(out var text))
        {
            return "";
        }

        if (!_pieces.Reader.TryRead(out var next))
        {
            return text;
        }

        var joined = new System.Text.StringBuilder(text).Append(next);
        while (joined.Length < MaxDeltaLength && _pieces.Reader.TryRead(out next))
        {
            joined.Append(next);
        }

        return joined.ToString();
    }

    /// <summary>Cancels the responder's token and takes nothing more from it. The token's callbacks run on another thread. Safe to repeat.</summary>
    public void Cancel()
    {
        _pieces.Writer.TryComplete();
        _cancel.CancelAsync().Ignore();
    }

    private async Task PumpAsync()
    {
        // The request context of the call that started it does not belong to this task.
        RequestContext.Clear();
        try
        {
            if (_waitForRoom is not null)
            {
                await _waitForRoom(_cancel.Token);
            }

            Ending = await ReadAsync();
        }
        catch (Exception) when (_cancel.IsCancellationRequested)
        {
            // What it throws after its token was cancelled says nothing about the question.
        }
        catch (ResponderException fault)
        {
            LogMessages.Failed(_logger, _context.SessionKey, _context.QuestionId, fault.Reason, Logged(fault));
            Ending = Ending.Failed(fault.Reason, fault.Message, fault.IsRetryable, fault.RetryAfter);
        }
        catch (Exception fault)
        {
            LogMessages.Threw(_logger, _context.SessionKey, _context.QuestionId, Logged(fault));
            Ending = Ending.Failed(DoneReasons.ResponderError, "The responder failed.");
        }
        finally
        {
            _pieces.Writer.TryComplete();
        }
    }

    private async Task<Ending?> ReadAsync()
    {
        await foreach (var piece in _responder.Responder.AnswerAsync(_context, _cancel.Token).WithCancellation(_cancel.Token))
        {
            if (_cancel.IsCancellationRequested)
            {
                return null;
            }

            Volatile.Write(ref _lastSign, _time.GetTimestamp());
            _usage = piece.Usage ?? _usage;
            if (piece.IncompleteReason is { } reason)
            {
                return Ending.Incomplete(reason, "The answer stopped at a limit of its responder.");
            }

            if (piece.Text is { Length: > 0 } text)
            {
                await _pieces.Writer.WriteAsync(text, _cancel.Token);
            }
        }

        return _cancel.IsCancellationRequested ? null : Ending.Completed;
    }

    private LoggedException Logged(Exception fault) => _responder.LogsMessages ? LoggedException.WithMessages(fault) : LoggedException.Of(fault);

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "Session {SessionKey}: the responder could not answer question {QuestionId}: {Reason}")]
        public static partial void Failed(ILogger logger, string sessionKey, string questionId, string reason, LoggedException fault);

        [LoggerMessage(2, LogLevel.Error, "Session {SessionKey}: the responder threw at question {QuestionId}")]
        public static partial void Threw(ILogger logger, string sessionKey, string questionId, LoggedException fault);
    }
}
