namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>What is wrong with a server.</summary>
internal enum Damage
{
    None,

    /// <summary>A delta does not arrive.</summary>
    DroppedDelta,

    /// <summary>An event has the number of the one before it.</summary>
    RepeatedNumber,

    /// <summary>An event arrives twice.</summary>
    RepeatedFrame,

    /// <summary><c>done</c> counts bytes that were never sent.</summary>
    WrongCounts,

    /// <summary>The message of a busy session is another one.</summary>
    BusyMessage,

    /// <summary>A socket is closed with another code.</summary>
    CloseCode,

    /// <summary>Replayed events look like live ones.</summary>
    NoReplayMark,

    /// <summary>A replay leaves out its first event.</summary>
    ShortReplay,

    HelloWithoutLimits,

    /// <summary>A socket that opens in mid-answer gets no snapshot.</summary>
    NoSnapshot,

    /// <summary><c>retryable</c> is the opposite of what the table says.</summary>
    RetryableLies,

    /// <summary>A question ends twice, with numbers that look right.</summary>
    SecondDone,

    /// <summary>A problem document has another code.</summary>
    ProblemCode,

    /// <summary>HTTP returns another text than was answered.</summary>
    StoredText,
}
