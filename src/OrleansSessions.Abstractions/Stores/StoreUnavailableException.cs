namespace OrleansSessions.Stores;

/// <summary>
/// Thrown by calls of a session that must wait for the store while it is away: it does not answer, or it refuses to write. Repeating the call is safe, an ask with
/// the same question id.
/// </summary>
[GenerateSerializer, Alias("OrleansSessions.StoreUnavailable")]
public sealed class StoreUnavailableException : Exception
{
    /// <summary>Creates the fault of one call.</summary>
    public StoreUnavailableException()
        : base("The store of the sessions is away.")
    {
    }
}
