namespace OrleansSessions.Conformance.Proxies;

/// <summary>One socket or event stream through the proxy.</summary>
internal interface IProxiedConnection
{
    /// <summary>The place of this connection among those of its proxy, from 0.</summary>
    int Number { get; }

    /// <summary>The frames that the server has sent so far, with the present one.</summary>
    int ServerFrames { get; }

    /// <summary>Resets the connection of the client: what it has not read yet is lost. The server's ends as well.</summary>
    void Reset();

    /// <summary>Ends the client's connection in order, a socket with this code. The server's connection is reset.</summary>
    Task CloseAsync(int code);
}
