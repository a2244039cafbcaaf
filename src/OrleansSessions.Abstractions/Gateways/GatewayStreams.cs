namespace OrleansSessions.Gateways;

/// <summary>The names of the streams that lead to socket gateways.</summary>
public static class GatewayStreams
{
    /// <summary>
    /// The stream provider's name, on silos and on clients. No grain storage may have the same name: Orleans would keep the
    /// subscriptions in it, and a store of sessions that is out of order would make every socket gateway deaf.
    /// </summary>
    public const string ProviderName = "sessions.answers";

    /// <summary>The namespace of the streams; the key is the socket gateway's instance id.</summary>
    public const string Namespace = "sessions.gateway";
}
