using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Http.StreamedAnswers;

/// <summary>Why a streamed answer must end although its client has not ended it. Without a value: the question is not known any more.</summary>
/// <param name="Ended">How the question ended.</param>
/// <param name="Error">The process is stopping, or the question could not be watched.</param>
internal sealed record WatchFinding(QuestionStatus? Ended = null, ErrorMessage? Error = null);

/// <summary>Waits beside a streamed answer for whatever ends it on this side, so that a client learns of it while it is silent.</summary>
internal sealed class QuestionWatch : IAsyncDisposable
{
    private readonly SessionHttp _http;
    private readonly CancellationTokenSource _watching;
    private readonly CancellationTokenSource _reading;
    private readonly Task _watch;
    private volatile WatchFinding? _finding;

    public QuestionWatch(HttpContext context, SessionHttp http, ISessionGrain session, string sessionId, string questionId)
    {
        _http = http;
        _watching = CancellationTokenSource.CreateLinkedTokenSource(http.Stopping);
        _reading = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        _watch = WatchAsync(session, sessionId, questionId);
    }

    /// <summary>Cancelled when there is a finding, or when the client is gone.</summary>
    public CancellationToken Reading => _reading.Token;

    /// <summary>Set before <see cref="Reading"/> is cancelled.</summary>
    public WatchFinding? Finding => _finding;

    public async ValueTask DisposeAsync()
    {
        await _watching.CancelAsync();
        await _watch;
        _watching.Dispose();
        _reading.Dispose();
    }

    private async Task WatchAsync(ISessionGrain session, string sessionId, string questionId)
    {
        try
        {
            QuestionDescription? question;
            do
            {
                question = await SessionHttp.WaitForEndAsync(session, questionId, TimeSpan.MaxValue, _watching.Token);
            }
            while (question is { End: null });

            _finding = new(question?.Status);
        }
        catch (OperationCanceledException) when (_watching.IsCancellationRequested)
        {
            if (!_http.Stopping.IsCancellationRequested)
            {
                return;
            }

            _finding = new(Error: Refusals.GoingDown(_http.Limits.RetryAfterMs));
        }
        catch (Exception fault)
        {
            _finding = new(Error: _http.Grains.Report(fault, "The question could not be watched", sessionId, questionId));
        }

        await _reading.CancelAsync();
    }
}
