using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>How much of a session one event stream shows.</summary>
/// <param name="QuestionId">The question whose end also ends the stream, or null for a stream without an end of its own.</param>
internal sealed record EventStreamScope(string? QuestionId)
{
    /// <summary>The question as it ended before the stream began, or null.</summary>
    public QuestionDescription? Ended { get; init; }

    /// <summary>The question that this very request asked: only frames about it are sent. Null for a stream of the whole session.</summary>
    public (string QuestionId, string Text)? Asked { get; init; }

    public bool Includes(ServerMessage message) => Asked is not { } asked || (QuestionOf(message) ?? asked.QuestionId) == asked.QuestionId;

    /// <summary>True for the message after which nothing about the question follows.</summary>
    public bool IsEnd(ServerMessage message) => QuestionId is not null && message switch
    {
        DoneMessage done => done.QuestionId == QuestionId,
        SnapshotMessage { End: not null } snapshot => snapshot.QuestionId == QuestionId && snapshot.Part == snapshot.Parts,
        _ => false,
    };

    private static string? QuestionOf(ServerMessage message) => message switch
    {
        AcceptedMessage accepted => accepted.QuestionId,
        DeltaMessage delta => delta.QuestionId,
        DoneMessage done => done.QuestionId,
        SnapshotMessage snapshot => snapshot.QuestionId,
        CancellingMessage cancelling => cancelling.QuestionId,
        OtherEventMessage other => other.QuestionId,
        _ => null,
    };
}
