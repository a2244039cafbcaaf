namespace OrleansSessions.SocketGateway.Access;

/// <summary>Where a request comes from, as far as browsers tell.</summary>
internal enum RequestOrigin
{
    /// <summary>There is no <c>Origin</c>: the request does not come from a page, or it comes from a page that only reads from its own host.</summary>
    None,

    /// <summary>A page of the host and port in the request's <c>Host</c>.</summary>
    SameHost,

    /// <summary>A page of another host that <see cref="SocketGatewayOptions.AllowedOrigins"/> lists.</summary>
    Listed,

    /// <summary>A page of another host, allowed because the list contains <c>*</c>.</summary>
    Any,

    /// <summary>A page that may not use this server.</summary>
    Foreign,
}
