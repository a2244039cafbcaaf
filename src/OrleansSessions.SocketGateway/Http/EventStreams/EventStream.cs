using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Frames;
using OrleansSessions.SocketGateway.Profiles;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>
/// The v1 frames of a session as server-sent events. The same follower and profile as on a socket decide what is sent; this class only sends the frames.
/// Read <see cref="RunAsync"/> first: it shows the whole life of a stream, in order.
/// </summary>
internal sealed class EventStream : ITransport
{
    /// <summary>After this time without an event, the stream gets a comment. Common proxies close a response that is silent for 30 to 60 s.</summary>
    private static readonly TimeSpan CommentInterval = TimeSpan.FromSeconds(15);

    private readonly HttpContext _context;
    private readonly FollowerServices _services;
    private readonly EventStreamScope _scope;
    private readonly Follower _follower;
    private readonly PipeWriter _body;
    private string _epoch = "";
    private long _seq;
    private bool _hasToldError;
    private long _writtenAt;
    private volatile bool _isComplete;

    public EventStream(HttpContext context, FollowRequest request, FollowerServices services, EventStreamScope scope)
    {
        (_context, _services, _scope) = (context, services, scope);
        _body = context.Response.BodyWriter;
        _writtenAt = services.Clock.GetTimestamp();
        _follower = new(request, this, services, ProfileFactory.Create);
    }

    public async Task RunAsync()
    {
        // 1. Send the headers, so that the client does not have to wait for the first event to know that this is a stream.
        EventStreamHeaders.Set(_context);
        await _context.Response.StartAsync(_context.RequestAborted);
        if (_scope.Asked is { } asked)
        {
            lock (_follower.Gate)
            {
                _follower.Profile.OnAsking(asked.QuestionId, asked.Text);
            }
        }

        // 2. Follow until the client, the end of the question, the removal of the session or the end of the process closes the stream.
        await using var leaving = _context.RequestAborted.UnsafeRegister(static state => ((Follower)state!).Close(CloseCodes.GoingAway, ""), _follower);
        try
        {
            await _follower.OpenAsync();
            if (_scope.Ended is { } ended && _follower.Request.Resume is null)
            {
                Show(ended);
            }

            await _follower.Closed;
        }
        finally
        {
            // 3. Report to the session that this follower is gone.
            await _follower.LeaveAsync(_context.RequestAborted.IsCancellationRequested ? ReportedCloseCodes.Broken : null);
        }
    }

    public TimeSpan? Grace => _scope.Asked is null ? TimeSpan.Zero : null;

    public async ValueTask SendAsync(ServerMessage message, FrameBuffer buffer)
    {
        if (!_scope.Includes(message))
        {
            return;
        }

        if (message is ServerPingMessage)
        {
            _body.Write(": \n\n"u8);
        }
        else
        {
            EventStreamFormat.Write(_body, IdOf(message), buffer.Write(message).Span);
        }

        _hasToldError |= message is ErrorMessage;
        Volatile.Write(ref _writtenAt, _services.Clock.GetTimestamp());
        await _body.FlushAsync(_context.RequestAborted);
        if (_scope.IsEnd(message))
        {
            _follower.Close(CloseCodes.Normal, "");
        }
        else if (message is ResumedMessage { IsRecovered: false } && _scope.QuestionId is { } questionId)
        {
            // The events that would end the stream cannot be replayed, and the snapshot can be of another question.
            _ = ShowEndAsync(questionId);
        }
    }

    public async Task CloseAsync(int code, string reason)
    {
        if (code is CloseCodes.Draining or CloseCodes.ServiceRestart)
        {
            EndedStream.CloseConnection(_context);
        }

        // A client that reconnects by itself must learn why the stream ended, and a stream has no close code.
        if (!_hasToldError && EventStreamEnd.MessageOf(code, _services.Limits.RetryAfterMs) is { } last)
        {
            var buffer = FrameBuffer.Rent();
            try
            {
                EventStreamFormat.Write(_body, code == CloseCodes.SessionRemoved ? EventStreamEnd.RemovedId : null, buffer.Write(last).Span);
                if (last is ErrorMessage error)
                {
                    _services.Metrics.ErrorTold(error.Error.Code);
                }

                await _body.FlushAsync(_context.RequestAborted);
            }
            finally
            {
                FrameBuffer.Return(buffer);
            }
        }

        await _context.Response.CompleteAsync();
        _isComplete = true;
    }

    /// <summary>Aborts the connection, unless the response is complete.</summary>
    public void Abort()
    {
        if (!_isComplete)
        {
            _context.Abort();
        }
    }

    public void OnTick(long now)
    {
        if (_services.Clock.GetElapsedTime(Volatile.Read(ref _writtenAt), now) >= CommentInterval)
        {
            _follower.SendPing();
        }
    }

    private async Task ShowEndAsync(string questionId)
    {
        var question = await _follower.FetchAsync(questionId);
        if (question is null)
        {
            _follower.Close(CloseCodes.Normal, "");
        }
        else if (question.End is not null)
        {
            Show(question);
        }
    }

    private void Show(QuestionDescription question)
    {
        lock (_follower.Gate)
        {
            _follower.Writer.EnqueueSnapshot(question, question.Epoch);
        }

        _follower.Flush();
    }

    /// <summary>The position of the client after this message, or null if the message does not change it.</summary>
    private string? IdOf(ServerMessage message)
    {
        var (epoch, seq) = message switch
        {
            HelloMessage { IsResuming: false } hello => (hello.Epoch, hello.Seq),
            HelloMessage hello => (_epoch = hello.Epoch, _seq),
            ResumedMessage resumed => (resumed.Epoch, resumed.ToSeq),
            AcceptedMessage { IsDuplicate: false } accepted => (_epoch, accepted.Seq),
            DeltaMessage delta => (_epoch, delta.Seq),
            DoneMessage done => (_epoch, done.Seq),
            OtherEventMessage other => (_epoch, other.Seq),
            _ => (_epoch, _seq),
        };
        if (message is HelloMessage { IsResuming: true } || (epoch == _epoch && seq <= _seq && message is not (HelloMessage or ResumedMessage)))
        {
            return null;
        }

        (_epoch, _seq) = (epoch, seq);
        return string.Create(CultureInfo.InvariantCulture, $"{epoch}.{seq}");
    }
}
