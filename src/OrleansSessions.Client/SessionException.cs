namespace OrleansSessions.Client;

/// <summary>Something that a session could not do. <see cref="Code"/> says what happened, and <see cref="Exception.Message"/> says it for people.</summary>
public class SessionException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">A word that programs compare.</param>
    /// <param name="message">The same for people.</param>
    /// <param name="inner">What caused it, or null.</param>
    public SessionException(string code, string message, Exception? inner = null) : base(message, inner)
    {
        ArgumentException.ThrowIfNullOrEmpty(code);
        Code = code;
    }

    /// <summary>A word that programs compare: an error code of the protocol where the server sent one.</summary>
    public string Code { get; }
}
