using OrleansSessions.Gateways;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.TestKit.Clusters;

/// <summary>The calls of the grains with what matters to a test as arguments.</summary>
public static class SessionGrainCalls
{
    public static Task<AttachReply> AttachAsync(this ISessionGrain session, string gateway, long version = 1, bool wantsSnapshot = false) =>
        session.AttachAsync(new AttachRequest { Gateway = gateway, Connections = 1, Version = version, WantsSnapshot = wantsSnapshot });

    /// <summary>The socket gateway's last connection is gone.</summary>
    public static Task DetachAsync(this ISessionGrain session, string gateway, string? connection = null, long version = 2) =>
        session.DetachAsync(new DetachRequest { Gateway = gateway, Connection = connection, Version = version });

    public static Task<LogPiece> ReadLogAsync(this ISessionGrain session, long epoch, long afterSeq, string? gateway = null) =>
        session.ReadLogAsync(new ReadLogRequest { Gateway = gateway, Epoch = epoch, AfterSeq = afterSeq, Connections = 1, Version = 1, MaxBytes = 1_000_000 });

    public static Task<bool> CanAcceptQuestionAsync(this ISessionGrain session) => session.CanAcceptQuestionAsync(new CanAcceptQuestionRequest());

    public static Task<AskReply> AskAsync(
        this ISessionGrain session, string questionId, string question, IfBusy ifBusy = IfBusy.Reject, string? gateway = null, string? connection = null) =>
        session.AskAsync(new AskRequest { Gateway = gateway, Connection = connection, QuestionId = questionId, Question = question, IfBusy = ifBusy });

    /// <summary>Cancels the question, or the running one where none is named.</summary>
    public static Task<CancelReply> CancelAsync(this ISessionGrain session, string? questionId = null) =>
        session.CancelAsync(new CancelRequest { QuestionId = questionId });

    /// <summary>Answers the running question whole.</summary>
    public static Task<AnswerReply> AnswerAsync(this ISessionGrain session, string text) => session.AnswerAsync(new AnswerRequest { Text = text });

    public static Task<SessionDescription?> DescribeAsync(this ISessionGrain session) => session.DescribeAsync(new DescribeRequest());

    public static Task<QuestionDescription?> GetQuestionAsync(this ISessionGrain session, string questionId) =>
        session.GetQuestionAsync(new GetQuestionRequest { QuestionId = questionId });

    public static Task<IReadOnlyList<QuestionDescription>> ListQuestionsAsync(this ISessionGrain session, int limit) =>
        session.ListQuestionsAsync(new ListQuestionsRequest { Limit = limit });

    public static Task<QuestionDescription?> WaitForEndAsync(this ISessionGrain session, string questionId, TimeSpan patience) =>
        session.WaitForEndAsync(new WaitForEndRequest { QuestionId = questionId, Patience = patience });

    public static Task<bool> RemoveAsync(this ISessionGrain session) => session.RemoveAsync(new RemoveRequest());

    public static Task RenewAsync(this ISocketGatewayRegistryGrain registry, string gateway) => registry.RenewAsync(new RenewRequest { Gateway = gateway });

    public static Task LeaveAsync(this ISocketGatewayRegistryGrain registry, string gateway) => registry.LeaveAsync(new LeaveRequest { Gateway = gateway });

    public static Task<SocketGatewayList> ListAsync(this ISocketGatewayRegistryGrain registry) => registry.ListAsync(new ListRequest());
}
