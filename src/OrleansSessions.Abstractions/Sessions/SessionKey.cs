namespace OrleansSessions.Sessions;

/// <summary>The key of a session's grain: <c>{scope}/{session}</c>. It is part of stored state, so its form never changes.</summary>
public static class SessionKey
{
    /// <summary>Returns the key of a session.</summary>
    /// <param name="scope">
    /// Whose session it is: <see cref="SessionScope.Anonymous"/>, or what <see cref="SessionScope.Of"/> returned. It contains no <c>/</c>.
    /// </param>
    /// <param name="sessionId">The id that the client chose.</param>
    public static string Of(string scope, string sessionId) => $"{scope}/{sessionId}";

    /// <summary>Returns the scope and the session id of a key.</summary>
    public static (string Scope, string SessionId) Split(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return (key[..slash], key[(slash + 1)..]);
    }
}
