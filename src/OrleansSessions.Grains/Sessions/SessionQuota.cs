using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// What one session uses of the limits of its scope: a permit for each open question. It holds as many permits as questions are open, and one more while a
/// question is being admitted.
/// </summary>
internal sealed class SessionQuota
{
    private readonly SessionActivation _activation;
    private readonly Session _session;
    private readonly string _scope;
    private int _permits;

    public SessionQuota(SessionActivation activation, Session session)
    {
        (_activation, _session) = (activation, session);
        _scope = SessionKey.Split(activation.Key).Scope;
    }

    private OpenQuestionPermits OpenQuestions => _activation.Services.OpenQuestions;

    /// <summary>
    /// Takes what a question needs, before it is asked. A question that replaces others needs nothing, and neither does one that is refused for another reason.
    /// Call <see cref="SetOpen"/> in the turn that asks.
    /// </summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    /// <returns>Null, or the refusal. Nothing has changed then.</returns>
    public async ValueTask<AskReply?> FindRefusalAsync(AskRequest request, Func<Question, bool> isOrphaned)
    {
        if (_scope == SessionScope.Anonymous || !_session.WouldAdd(request, isOrphaned))
        {
            return null;
        }

        if (!await OpenQuestions.Permits.TryTakeAsync(_scope))
        {
            return Refuse(request, AskQuota.OpenQuestions, $"At most {OpenQuestions.Limit} questions of a caller can be open. Wait for an answer, or cancel a question.");
        }

        _permits++;
        _activation.Services.Eviction.ThrowIfEvicted();
        return null;
    }

    /// <summary>Holds a permit for each open question. More are taken also above the limit: what was restored is open already.</summary>
    public void SetOpen(int open)
    {
        if (_scope == SessionScope.Anonymous)
        {
            return;
        }

        if (open > _permits)
        {
            OpenQuestions.Permits.Take(_scope, open - _permits);
        }
        else if (open < _permits)
        {
            OpenQuestions.Permits.Release(_scope, _permits - open);
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
