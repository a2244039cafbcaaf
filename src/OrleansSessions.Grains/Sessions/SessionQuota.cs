using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// What one session uses of the limits of its scope: a permit for each open question, and a place in the index from its first question on. The anonymous scope
/// has neither.
/// </summary>
internal sealed class SessionQuota
{
    private readonly SessionActivation _activation;
    private readonly Session _session;
    private readonly string _scope;
    private readonly string _sessionId;
    private int _permits;
    private (int Running, int Queued) _reported;
    private bool _isIndexed;

    public SessionQuota(SessionActivation activation, Session session)
    {
        (_activation, _session) = (activation, session);
        (_scope, _sessionId) = SessionKey.Split(activation.Key);
    }

    private ScopeUse Scopes => _activation.Services.Scopes;

    private bool IsUnlimited => _scope == SessionScope.Anonymous;

    /// <summary>
    /// Takes what a question needs before it is admitted. One that replaces others, or that the session refuses, needs nothing.
    /// Whatever becomes of it, call <see cref="Settle"/> in the turn that asks.
    /// </summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    /// <returns>Null, or the refusal. Nothing has changed then.</returns>
    public async ValueTask<AskReply?> FindRefusalAsync(AskRequest request, Func<Question, bool> isOrphaned)
    {
        _isIndexed = false;
        if (IsUnlimited || !_session.Admission.WouldAdd(request, isOrphaned))
        {
            return null;
        }

        if (!await Scopes.OpenQuestions.TryTakeAsync(_scope))
        {
            return Refuse(
                request, AskQuota.OpenQuestions,
                $"At most {Scopes.Limits.MaxOpenQuestionsPerScope} questions of a caller can be open. Wait for an answer, or cancel a question.");
        }

        _permits++;
        if (!_session.IsKnown)
        {
            var isAdded = await Scopes.Indexes.TryAddAsync(_scope, ListedSession.Of(_sessionId, request.Question, _activation.Now));
            if (isAdded is false)
            {
                return Refuse(
                    request, AskQuota.Sessions, $"A caller can have at most {Scopes.Limits.MaxSessionsPerScope} sessions. Remove one, or ask in one of them.");
            }

            _isIndexed = isAdded is true;
        }

        _activation.Services.Eviction.ThrowIfEvicted();
        return null;
    }

    /// <summary>
    /// Gives back the permit of a question that was not accepted. A place is not given back: the first question of a session with a place is refused only on a
    /// silo that is evicted, and the silo that owns the session now may have accepted it.
    /// </summary>
    public void Settle() => SetOpen(_session.OpenCount);

    /// <summary>A question was accepted. The index has the first one already, unless it could not be asked.</summary>
    public void NoteAsked(string question)
    {
        if (!IsUnlimited && !_isIndexed)
        {
            Scopes.Indexes.Touch(_scope, ListedSession.Of(_sessionId, question, _activation.Now));
        }
    }

    /// <summary>The session lives on because it is read, and its place must, too.</summary>
    public void NoteUsed()
    {
        if (!IsUnlimited && _session.LastEnded is { } last)
        {
            Scopes.Indexes.Touch(_scope, ListedSession.Of(_sessionId, last.Text, last.AskedAt) with { UsedAt = _activation.Now });
        }
    }

    /// <summary>The session is forgotten, and so is its place. Throws if the index could not be asked or written; safe to repeat.</summary>
    public Task ForgetAsync() => IsUnlimited ? Task.CompletedTask : Scopes.Indexes.RemoveAsync(_scope, _sessionId);

    /// <summary>Holds what the open questions need, and counts them.</summary>
    public void ReportOpen(int running, int queued)
    {
        SetOpen(running + queued);
        if (_reported != (running, queued))
        {
            _activation.Services.Metrics.WaitingChanged(running - _reported.Running, queued - _reported.Queued);
            _reported = (running, queued);
        }
    }

    /// <summary>Holds a permit for each open question. More are taken also above the limit: what was restored is open already.</summary>
    public void SetOpen(int open)
    {
        if (IsUnlimited)
        {
            return;
        }

        if (open > _permits)
        {
            Scopes.OpenQuestions.Take(_scope, open - _permits);
        }
        else if (open < _permits)
        {
            Scopes.OpenQuestions.Release(_scope, _permits - open);
        }

        _permits = open;
    }

    private AskReply Refuse(AskRequest request, AskQuota quota, string message) => new()
    {
        Outcome = AskOutcome.QuotaExceeded,
        QuestionId = request.QuestionId ?? Identifiers.NewQuestionId(),
        Epoch = _session.Log.Epoch,
        FaultMessage = message,
        ExceededQuota = quota,
    };
}
