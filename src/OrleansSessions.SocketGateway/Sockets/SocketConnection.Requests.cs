using System.Security.Cryptography;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Profiles;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>What a client may ask of its socket, one request after the other.</summary>
internal sealed partial class SocketConnection
{
    private const int MaxDuplicateFetches = 4;

    private long RetryAfterMs => (long)_services.Options.RetryAfter.TotalMilliseconds;

    ValueTask ISocketReaderOwner.OnMessageAsync(ReadOnlySpan<byte> utf8)
    {
        _services.Metrics.MessageReceived();
        var parsed = ClientMessageParser.Parse(utf8, _request.Profile, _services.Sessions.MaxQuestionBytes);
        if (parsed.Refusal is { } refusal)
        {
            Refuse(refusal);
            return default;
        }

        _badRequests.Forgive();
        switch (parsed.Message)
        {
            case QuestionMessage question:
                return new(AskAsync(question));
            case CancelMessage cancel:
                return new(CancelAsync(cancel.QuestionId));
            case ResumeMessage resume:
                return new(ResumeAsync(resume));
            case PingMessage:
                return new(AnswerPingAsync());
            default:
                // A pong is life, and life was noted when it was read.
                return default;
        }
    }

    void ISocketReaderOwner.OnViolation(int closeCode, string reason)
    {
        var error = closeCode == CloseCodes.MessageTooBig
            ? new ErrorMessage(WireErrors.MessageTooLarge, $"A message may have {_services.Options.MaxMessageBytes} bytes.")
            : null;
        Close(closeCode, reason, error, dropWaiting: false);
    }

    /// <summary>
    /// Waits while the client leaves too much unread; the reader takes no other message meanwhile. So no client can ask for more than it reads.
    /// A cancel does not wait, unless it comes behind a request that does: what is unread may be the very answer that it is to end.
    /// </summary>
    /// <returns>False if the socket was closed meanwhile, and the request is dropped.</returns>
    private async ValueTask<bool> WaitUntilReadAsync()
    {
        if (!_writer.HasRoom)
        {
            Flush();
            await _writer.WaitForRoomAsync();
        }

        return !IsClosing;
    }

    private async Task AskAsync(QuestionMessage question)
    {
        if (!await WaitUntilReadAsync())
        {
            return;
        }

        var isBasic = _request.Profile == WireProfile.Basic;
        var id = question.Id ?? "q-" + RandomNumberGenerator.GetHexString(16, lowercase: true);
        if (_services.Eviction.IsEvicted)
        {
            Tell(new(WireErrors.Draining, "This node has left its cluster.", id, RetryAfterMs: RetryAfterMs));
            return;
        }

        bool isNew;
        lock (_gate)
        {
            isNew = _profile.OnAsking(id, question.Question);
        }

        AskReply reply;
        try
        {
            reply = await _session.AskAsync(new()
            {
                Gateway = _services.Instance.Id,
                Connection = Id,
                QuestionId = id,
                Question = question.Question,
                IfBusy = question.IfBusy,
                IsOrphanable = isBasic && question.Id is null,
                MetadataJson = question.MetadataJson,
            });
        }
        catch (Exception fault)
        {
            TellNotAsked(_services.Faults.Report(fault, "The question could not be asked", _request.SessionId, id), isNew);
            return;
        }

        await OnAskReplyAsync(reply, isNew);
    }

    private async ValueTask OnAskReplyAsync(AskReply reply, bool isNew)
    {
        if (reply.Outcome != AskOutcome.Accepted)
        {
            // No event follows that would show it. The epoch does: another one means that this socket's place is no more.
            _services.Registry.NoteAwake(_request.SessionKey);
            lock (_gate)
            {
                _answers.Expect(reply.Epoch, 0);
            }
        }

        switch (reply.Outcome)
        {
            case AskOutcome.Accepted:
                _busyRefusals.Forgive();
                lock (_gate)
                {
                    _profile.OnAccepted(reply);
                    _answers.Expect(reply.Epoch, reply.Seq);
                }

                Flush();
                break;
            case AskOutcome.Duplicate when reply.Earlier is { } earlier:
                _busyRefusals.Forgive();
                await TellDuplicateAsync(earlier);
                break;
            default:
                TellNotAsked(AskRefusals.Of(reply, RetryAfterMs), isNew);
                if (reply.Outcome is AskOutcome.Busy or AskOutcome.QueueFull)
                {
                    StrikeBusy();
                }

                break;
        }
    }

    /// <summary>To this socket alone. A snapshot that is older than what it has seen would take that back, so then a fresh one is fetched.</summary>
    private async ValueTask TellDuplicateAsync(QuestionDescription earlier)
    {
        bool isPaused;
        lock (_gate)
        {
            isPaused = _profile.IsBehind(earlier) && _answers.TryPause();
            if (!isPaused)
            {
                _profile.OnDuplicate(earlier);
            }
        }

        if (isPaused)
        {
            // Bounded, because the reader waits for it.
            var fresh = await FetchAsync(earlier.QuestionId, MaxDuplicateFetches);
            lock (_gate)
            {
                _profile.OnDuplicate(fresh ?? earlier);
                _answers.Unpause();
            }
        }

        Flush();
    }

    private async Task CancelAsync(string? questionId)
    {
        PendingCancel pending;
        lock (_gate)
        {
            pending = _profile.OnCancelling(questionId);
        }

        CancelReply? reply = null;
        ErrorMessage? error = null;
        try
        {
            reply = await _session.CancelAsync(new() { QuestionId = questionId });
        }
        catch (Exception fault)
        {
            error = _services.Faults.Report(fault, "The question could not be cancelled", _request.SessionId, questionId);
        }

        lock (_gate)
        {
            if (reply is { Outcome: not CancelOutcome.NotFound })
            {
                _profile.OnCancelReply(pending, reply);
                _answers.Expect(reply.Epoch, 0);
            }
            else
            {
                _profile.OnNotCancelled(pending);
            }
        }

        if (error is not null)
        {
            Tell(error);
        }
        else if (reply is { Outcome: CancelOutcome.NotFound })
        {
            Tell(questionId is null
                ? new(WireErrors.NoOpenQuestion, "No question is running.")
                : new(WireErrors.QuestionNotFound, "No question has that id.", questionId));
        }

        Flush();
    }

    private async Task ResumeAsync(ResumeMessage resume)
    {
        if (!await WaitUntilReadAsync())
        {
            return;
        }

        lock (_gate)
        {
            _answers.Replay(Epochs.FromWire(resume.Epoch), resume.AfterSeq);
        }
    }

    private async Task AnswerPingAsync()
    {
        if (await WaitUntilReadAsync())
        {
            SendPing();
        }
    }

    private void Refuse(MessageRefusal refusal)
    {
        Tell(new(refusal.Error, refusal.Message, refusal.QuestionId, refusal.Param));
        if (_badRequests.Hit(_services.Clock, _services.Options.MaxBadRequests, _services.Options.StrikeWindow))
        {
            Close(CloseCodes.BadProtocol, "Too many messages in a row were not valid.", null, dropWaiting: false);
        }
    }

    private void StrikeBusy()
    {
        if (_busyRefusals.Hit(_services.Clock, _services.Options.MaxBusyRefusals, _services.Options.StrikeWindow))
        {
            Close(CloseCodes.RateLimited, "Too many questions in a row came while the session was busy.", null, dropWaiting: false);
        }
    }

    private void TellNotAsked(ErrorMessage error, bool isNew)
    {
        var isTold = true;
        lock (_gate)
        {
            if (isNew)
            {
                isTold = _profile.OnNotAsked(error.QuestionId!) || error.Error != WireErrors.Internal;
            }
        }

        if (isTold)
        {
            Tell(error);
        }
    }

    /// <summary>Tells an error, and closes where the table of errors says so.</summary>
    private void Tell(ErrorMessage error)
    {
        if (error.Error.CloseCode is { } code)
        {
            Close(code, error.Message, error, dropWaiting: false);
            return;
        }

        _services.Metrics.ErrorTold(error.Error.Code);
        lock (_gate)
        {
            _writer.Enqueue(error);
        }

        Flush();
    }

    /// <summary>
    /// A question as it stands, or null where the session does not know it. A session that cannot be reached is asked again until the socket closes:
    /// an answer that could not be fetched is not lost. With <paramref name="maxAttempts"/>, null also where all of them failed.
    /// </summary>
    private async Task<QuestionDescription?> FetchAsync(string questionId, int maxAttempts)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await _session.GetQuestionAsync(new() { QuestionId = questionId });
            }
            catch (Exception fault)
            {
                if (attempt == 1)
                {
                    // Once: in an outage every socket that waits tries again and again.
                    _services.Faults.Report(fault, "The question could not be read", _request.SessionId, questionId);
                }

                if (attempt == maxAttempts || IsClosing)
                {
                    return null;
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(200 << Math.Min(attempt, 4), 2_000)), _services.Clock);
        }
    }
}
