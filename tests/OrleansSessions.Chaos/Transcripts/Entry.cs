namespace OrleansSessions.Chaos.Transcripts;

/// <summary>What a line of a transcript says.</summary>
internal enum EntryKind
{
    /// <summary>A socket or stream was asked for: the path and query, or the <c>Last-Event-ID</c>.</summary>
    Opened,

    /// <summary>A frame that the client sent.</summary>
    Sent,

    /// <summary>A frame that arrived. For an event stream: the id of the event if it has one, a space, and its data.</summary>
    Received,

    /// <summary>The end of a socket: its close code if it has one, and the reason.</summary>
    Closed,

    /// <summary>An HTTP request.</summary>
    Requested,

    /// <summary>The response to an HTTP request: its status, a space, and its body.</summary>
    Replied,

    /// <summary>Something that the run did to this client.</summary>
    Note,
}

/// <summary>One line of a transcript.</summary>
/// <param name="At">The time since the start of the run.</param>
/// <param name="Link">The number of the socket, stream or request among those of this client, from 1.</param>
internal sealed record Entry(TimeSpan At, int Link, EntryKind Kind, string Text);
