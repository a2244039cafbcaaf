namespace OrleansSessions.TestKit.Upstream;

/// <summary>When <see cref="RawUpstream.CloseOnNextRequest"/> closes the connection.</summary>
public enum RawCloseMoment
{
    /// <summary>When the first byte of the request arrives. The request stays unread, as if the server had closed the idle connection just before.</summary>
    AtArrival,

    /// <summary>After the whole request was read and before the first byte of a response.</summary>
    AfterRequest,
}
