namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>One thing that an upstream does while it answers.</summary>
internal abstract record QuirkStep
{
    private QuirkStep()
    {
    }

    /// <summary>Sends the status and the headers.</summary>
    public sealed record Head(int Status, IReadOnlyList<(string Name, string Value)> Headers) : QuirkStep;

    /// <summary>Sends a piece of the body.</summary>
    /// <param name="Text">The whole text that must have been delivered before the next step, or null if that cannot be said yet.</param>
    /// <param name="IsSignOfLife">True if a piece without text must have been delivered before the next step.</param>
    /// <param name="IsBytewise">True to send each byte by itself.</param>
    public sealed record Body(byte[] Bytes, string? Text, bool IsSignOfLife = false, bool IsBytewise = false) : QuirkStep;

    /// <summary>Sends the same piece of the body again and again, until the client leaves.</summary>
    public sealed record Flood(byte[] Bytes) : QuirkStep;

    /// <summary>Sends nothing for longer than the end of an answer is waited for.</summary>
    public sealed record Pause(TimeSpan Time) : QuirkStep;

    /// <summary>Ends the response as its head promised.</summary>
    public sealed record End : QuirkStep;

    /// <summary>Closes the connection (FIN).</summary>
    public sealed record Close : QuirkStep;

    /// <summary>Resets the connection (RST).</summary>
    public sealed record Reset : QuirkStep;
}
