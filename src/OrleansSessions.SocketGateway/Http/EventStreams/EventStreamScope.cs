using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>Which part of a session an event stream shows.</summary>
/// <param name="QuestionId">The question whose end also ends the stream, or null if the stream has no end of its own.</param>
internal sealed record EventStreamScope(string? QuestionId)
{
    /// <summary>The question, if it had ended before the stream started; otherwise null.</summary>
    public QuestionDescription? Ended { get; init; }

    /// <summary>The question that the same request has asked. Only frames about it are sent. Null for a stream of the whole session.</summary>
    public (string QuestionId, string Text)? Asked { get; init; }

    public bool Includes(ServerMessage message) => Asked is not { } asked || (QuestionOf(message) ?? asked.QuestionId) == asked.QuestionId;

    /// <summary>True if nothing about the question follows after this message.</summary>
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
