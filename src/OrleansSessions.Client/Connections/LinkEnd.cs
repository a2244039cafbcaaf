using System.Net;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Connections;

/// <summary>How a connection ended, or why there was none.</summary>
internal sealed record LinkEnd
{
    /// <summary>The close code of a connection that broke.</summary>
    public const int Broken = 1006;

    /// <summary>The close code, or null if there was no connection.</summary>
    public int? CloseCode { get; init; }

    /// <summary>The words of the close frame, or null.</summary>
    public string? CloseReason { get; init; }

    /// <summary>The last frame if it was an error, or the answer that refused the upgrade; otherwise null.</summary>
    public SessionRefusedException? Refusal { get; init; }

    /// <summary>The status of an upgrade that was refused, or null.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>True if a <c>hello</c> arrived.</summary>
    public bool IsGreeted { get; init; }

    /// <summary>How long the connection was open.</summary>
    public TimeSpan OpenFor { get; init; }

    /// <summary>The last token that the server has judged on this connection; null if it has none.</summary>
    public string? Token { get; init; }

    /// <summary>What broke, or null.</summary>
    public Exception? Fault { get; init; }

    /// <summary>True if the server sent something that is not of this protocol.</summary>
    public bool IsMisunderstood { get; init; }

    /// <summary>
    /// The refusal if it explains the end; otherwise null. On a connection that served, the last frame can have refused something else, such as a question.
    /// </summary>
    public SessionRefusedException? Explanation => Refusal is { } refusal && (!IsGreeted || CloseCode == CloseCodes.BadProtocol || Closes(refusal))
        ? refusal : null;

    /// <summary>What a person is told.</summary>
    public string Message => Explanation?.Message ?? (string.IsNullOrEmpty(CloseReason) ? null : CloseReason) ?? Fault?.Message
        ?? $"The connection was closed with {CloseCode ?? Broken}.";

    private bool Closes(SessionRefusedException refusal) =>
        WireErrors.Find(refusal.Code) is { } row && CloseCode is { } code && (row.CloseCode == code || row.AttachCloseCode == code);
}
