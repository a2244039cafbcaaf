using System.Text.Json.Nodes;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client;

/// <summary>How a question is asked.</summary>
public sealed class AskOptions
{
    /// <summary>The id of the question. Default null: a random one. An id that the session knows is not asked a second time.</summary>
    public string? Id { get; init; }

    /// <summary>What to do if another question is open. Default <see cref="IfBusy.Reject"/>.</summary>
    public IfBusy IfBusy { get; init; }

    /// <summary>Options for the responder, which decides which it takes. Default null. Written when the question is asked.</summary>
    public JsonObject? Options { get; init; }

    /// <summary>Passed to the responder unchanged. Default null. Written when the question is asked.</summary>
    public JsonObject? Metadata { get; init; }
}
