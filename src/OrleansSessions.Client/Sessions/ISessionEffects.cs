using OrleansSessions.Client.Questions;

namespace OrleansSessions.Client.Sessions;

/// <summary>What the core of a session wants done. No call waits for anything.</summary>
internal interface ISessionEffects
{
    /// <summary>Sends a frame on the present connection.</summary>
    void Send(byte[] frame);

    /// <summary>Reads a question from the server, and reports to <see cref="SessionCore.OnRead"/>.</summary>
    void Read(Question question);

    /// <summary>The session is live.</summary>
    void Live();

    /// <summary>Leaves the present connection, and opens another one.</summary>
    void Leave();

    /// <summary>Opens another connection after a delay, while the present one serves.</summary>
    void Move(TimeSpan delay);

    /// <summary>Sends a fresh token.</summary>
    /// <param name="refusal">What the server said of the last one; null if it expires soon.</param>
    void RenewToken(SessionRefusedException? refusal);
}
