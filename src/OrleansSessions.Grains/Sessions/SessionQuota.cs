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
    private bool _isNew;

    public SessionQuota(SessionActivation activation, Session session)
    {
        (_activation, _session) = (activation, session);
        (_scope, _sessionId) = SessionKey.Split(activation.Key);
    }

    private ScopeUse Scopes => _activation.Services.Scopes;

    private bool IsUnlimited => _scope == SessionScope.Anonymous;

    /// <summary>
    /// Takes what a question needs, before it is asked. A question that replaces others needs nothing, and neither does one that is refused for another reason.
    /// Whatever becomes of it, call <see cref="SettleAsync"/> in the turn that asks.
    /// </summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    /// <returns>Null, or the refusal. Nothing has changed then.</returns>
    public async ValueTask<AskReply?> FindRefusalAsync(AskRequest request, Func<Question, bool> isOrphaned)
    {
        if (IsUnlimited || !_session.WouldAdd(request, isOrphaned))
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
            if (!await Scopes.Indexes.TryAddAsync(_scope, ListedSession.Of(_sessionId, request.Question, _activation.Now)))
            {
                return Refuse(
                    request, AskQuota.Sessions, $"A caller can have at most {Scopes.Limits.MaxSessionsPerScope} sessions. Remove one, or ask in one of them.");
            }

            _isNew = true;
        }

        _activation.Services.Eviction.ThrowIfEvicted();
        return null;
    }

    /// <summary>Gives back what was taken for a question that was not accepted.</summary>
    public async ValueTask SettleAsync()
    {
        SetOpen(_session.OpenCount);
        if (_isNew && !_session.IsKnown)
        {
            await ForgetAsync();
        }
    }

    /// <summary>A question was accepted. The index has the first one already.</summary>
    public void NoteAsked(string question)
    {
        if (!IsUnlimited && !_isNew)
        {
            Scopes.Indexes.Touch(_scope, ListedSession.Of(_sessionId, question, _activation.Now));
        }

        _isNew = false;
    }

    /// <summary>The session is forgotten, and so is its place.</summary>
    public ValueTask ForgetAsync()
    {
        _isNew = false;
        return IsUnlimited ? default : Scopes.Indexes.RemoveAsync(_scope, _sessionId);
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
