namespace OrleansSessions.SocketGateway.Access;

/// <summary>Which page a request comes from, as far as browsers tell.</summary>
internal enum RequestOrigin
{
    /// <summary>No <c>Origin</c>: not a page, or a page that only reads and stays on its own host.</summary>
    None,

    /// <summary>A page of the host and port that the request names.</summary>
    SameHost,

    /// <summary>A page of another host that <see cref="SocketGatewayOptions.AllowedOrigins"/> lists.</summary>
    Listed,

    /// <summary>A page of another host that is allowed because all are: <c>*</c>.</summary>
    Any,

    /// <summary>A page that may not use this server.</summary>
    Foreign,
}
