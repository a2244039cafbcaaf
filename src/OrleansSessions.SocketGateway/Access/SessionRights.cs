namespace OrleansSessions.SocketGateway.Access;

/// <summary>What a caller may do in one scope.</summary>
[Flags]
internal enum SessionRights
{
    None = 0,

    /// <summary>Read sessions, and follow them.</summary>
    Follow = 1,

    /// <summary>Ask and cancel.</summary>
    Ask = 2,

    /// <summary>Remove sessions.</summary>
    Remove = 4,

    /// <summary>Answer from outside.</summary>
    Answer = 8,

    /// <summary>Erase a scope, read metrics.</summary>
    Administer = 16,

    All = Follow | Ask | Remove | Answer | Administer,
}
