namespace OrleansSessions.Client;

/// <summary>A new state of a session's connection.</summary>
/// <param name="Session">The session id.</param>
/// <param name="State">The new state.</param>
/// <param name="Cause">
/// Why the connection was lost or could not be had, or why the session stopped, as far as it is known. Null before the first attempt, and for
/// <see cref="SessionState.Live"/>.
/// </param>
public sealed record SessionStateChange(string Session, SessionState State, Exception? Cause);
