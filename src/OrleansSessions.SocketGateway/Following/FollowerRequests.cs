using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Handles the requests of a client, one after the other. Too many refusals in a row close the connection.</summary>
internal sealed class FollowerRequests(Follower follower)
{
    private const int MaxDuplicateFetches = 4;

    private FollowerServices Services => follower.Services;

    /// <summary>Sends what is refused.</summary>
    public RequestRefusals Refused { get; } = new(follower);

    private bool IsBasic => follower.Request.Profile == WireProfile.Basic;

    /// <summary>Handles a message.</summary>
    public ValueTask HandleAsync(ClientMessage message)
    {
        // The options of a question and a token have yet to be checked.
        if (message is not (QuestionMessage or AuthMessage))
        {
            Refused.ForgiveBad();
        }

        return message switch
        {
            QuestionMessage question when IsAllowed(question.Id) => new(AskAsync(question)),
            CancelMessage cancel when IsAllowed(cancel.QuestionId) => new(CancelAsync(cancel.QuestionId)),
            ResumeMessage resume => new(ResumeAsync(resume)),
            AuthMessage auth => new(RenewAsync(auth)),
            PingMessage => new(AnswerPingAsync()),

            // Receiving the pong was already noted as a sign of life.
            _ => default,
        };
    }

    /// <summary>
    /// Waits while too many frames for the client are unread. Its next message is not read during the wait, so no client can ask for more than it reads.
    /// A cancel does not wait, unless it follows a request that does, because the unread frames can belong to the answer that it should end.
    /// </summary>
    /// <returns>False if the connection was closed during the wait. The request is then dropped.</returns>
    private async ValueTask<bool> WaitUntilReadAsync()
    {
        if (!follower.Writer.HasRoom)
        {
            follower.Flush();
            await follower.Writer.WaitForRoomAsync();
        }

        return !follower.IsClosing;
    }

    private async Task AskAsync(QuestionMessage question)
    {
        if (!await WaitUntilReadAsync())
        {
            return;
        }

        var id = question.Id ?? Identifiers.NewQuestionId();
        if (Services.Grains.IsEvicted)
        {
            Refused.Tell(Refusals.LeftCluster(id, Services.Limits.RetryAfterMs));
            return;
        }

        if (await Services.Guards.Asks.TakeAsync(follower.Request.Access.Scope, id) is { } limited)
        {
            Refused.Tell(limited);
            Refused.StrikeBusy();
            return;
        }

        bool isNew;
        lock (follower.Gate)
        {
            isNew = follower.Profile.OnAsking(id, question.Question);
        }

        AskReply reply;
        try
        {
            reply = await follower.Session.AskAsync(new()
            {
                Gateway = Services.Grains.Gateway,
                Connection = follower.Id,
                QuestionId = id,
                Question = question.Question,
                IfBusy = question.IfBusy,
                IsOrphanable = IsBasic && question.Id is null,
                MetadataJson = question.MetadataJson,
                OptionsJson = question.OptionsJson,
                Caller = follower.Token.Access.ToCaller(RequestTrace.Current(follower.Request.TraceParent)),
            });
        }
        catch (Exception fault)
        {
            TellNotAsked(Services.Grains.Report(fault, "The question could not be asked", follower.Request.SessionId, id), isNew);
            return;
        }

        await OnAskReplyAsync(reply, isNew);
    }

    private async ValueTask OnAskReplyAsync(AskReply reply, bool isNew)
    {
        if (reply.Outcome != AskOutcome.Accepted)
        {
            // No event shows that the session is active. The epoch in the reply does: if it has changed, this follower's position no longer exists.
            Services.Registry.NoteAwake(follower.Request.SessionKey);
            lock (follower.Gate)
            {
                follower.Cursor.Expect(reply.Epoch, 0);
            }
        }

        if (reply.Outcome != AskOutcome.BadOptions)
        {
            Refused.ForgiveBad();
        }

        switch (reply.Outcome)
        {
            case AskOutcome.Accepted:
                Refused.ForgiveBusy();
                lock (follower.Gate)
                {
                    follower.Profile.OnAccepted(reply);
                    follower.Cursor.Expect(reply.Epoch, reply.Seq);
                }

                follower.Flush();
                break;
            case AskOutcome.Duplicate when reply.Earlier is { } earlier:
                Refused.ForgiveBusy();
                await TellDuplicateAsync(earlier);
                break;
            default:
                TellNotAsked(AskRefusals.Of(reply, Services.Limits.RetryAfterMs), isNew);
                Services.Metrics.AskRefused(reply);
                if (reply.Outcome is AskOutcome.Busy or AskOutcome.QueueFull or AskOutcome.QuotaExceeded)
                {
                    Refused.StrikeBusy();
                }
                else if (reply.Outcome == AskOutcome.BadOptions)
                {
                    Refused.StrikeBad();
                }

                break;
        }
    }

    /// <summary>
    /// Sends a question again, to this client only. A snapshot that is older than what the client
    /// has received would remove text that it has already, so a newer one is fetched first.
    /// </summary>
    private async ValueTask TellDuplicateAsync(QuestionDescription earlier)
    {
        bool isPaused;
        lock (follower.Gate)
        {
            isPaused = follower.Profile.IsBehind(earlier) && follower.Cursor.TryPause();
            if (!isPaused)
            {
                follower.Profile.OnDuplicate(earlier);
            }
        }

        if (isPaused)
        {
            // Limited, because the client's next message waits for it.
            var fresh = await follower.FetchAsync(earlier.QuestionId, MaxDuplicateFetches);
            lock (follower.Gate)
            {
                follower.Profile.OnDuplicate(fresh ?? earlier);
                follower.Cursor.Unpause();
            }
        }

        follower.Flush();
    }

    private async Task CancelAsync(string? questionId)
    {
        PendingCancel pending;
        lock (follower.Gate)
        {
            pending = follower.Profile.OnCancelling(questionId);
        }

        CancelReply? reply = null;
        ErrorMessage? error = null;
        try
        {
            reply = await follower.Session.CancelAsync(new() { QuestionId = questionId });
        }
        catch (Exception fault)
        {
            error = Services.Grains.Report(fault, "The question could not be cancelled", follower.Request.SessionId, questionId);
        }

        lock (follower.Gate)
        {
            if (reply is { Outcome: not CancelOutcome.NotFound })
            {
                follower.Profile.OnCancelReply(pending, reply);
                follower.Cursor.Expect(reply.Epoch, 0);
            }
            else
            {
                follower.Profile.OnNotCancelled(pending);
            }
        }

        if (error is not null)
        {
            Refused.Tell(error);
        }
        else if (reply is { Outcome: CancelOutcome.NotFound })
        {
            Refused.Tell(questionId is null ? Refusals.NothingRuns() : Refusals.QuestionNotFound(questionId));
        }

        follower.Flush();
    }

    private async Task ResumeAsync(ResumeMessage resume)
    {
        if (!await WaitUntilReadAsync())
        {
            return;
        }

        lock (follower.Gate)
        {
            follower.Cursor.Replay(Epochs.FromWire(resume.Epoch), resume.AfterSeq);
        }
    }

    private async Task RenewAsync(AuthMessage auth)
    {
        if (await follower.Token.RenewAsync(auth.Token) is { } refusal)
        {
            Refused.TellToken(refusal);
        }
        else
        {
            Refused.ForgiveBad();
        }
    }

    /// <summary>A caller that may only follow and answer here can neither ask nor cancel.</summary>
    private bool IsAllowed(string? questionId)
    {
        if (follower.Token.Access.Allows(SessionRights.Ask))
        {
            return true;
        }

        Refused.TellBad(Refusals.PermissionDenied(Permissions.Admin) with { QuestionId = questionId });
        return false;
    }

    private async Task AnswerPingAsync()
    {
        if (await WaitUntilReadAsync())
        {
            follower.SendPing();
        }
    }

    private void TellNotAsked(ErrorMessage error, bool isNew)
    {
        var isTold = true;
        lock (follower.Gate)
        {
            if (isNew)
            {
                isTold = follower.Profile.OnNotAsked(error.QuestionId!) || (error.Error != WireErrors.Internal && error.Error != WireErrors.StoreUnavailable);
            }
        }

        if (isTold)
        {
            Refused.Tell(error);
        }
    }
}
