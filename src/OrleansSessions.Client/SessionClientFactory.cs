namespace OrleansSessions.Client;

/// <summary>Opens sessions of one server with the same options. It is for containers: <see cref="SessionClientServices.AddSessionClient"/> adds one.</summary>
public sealed class SessionClientFactory
{
    private readonly Uri _url;
    private readonly SessionClientOptions _options;

    /// <summary>Creates a factory.</summary>
    /// <param name="url">The address of the server.</param>
    /// <param name="options">How to reach it.</param>
    public SessionClientFactory(Uri url, SessionClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(url);
        ArgumentNullException.ThrowIfNull(options);
        (_url, _options) = (url, options);
    }

    /// <inheritdoc cref="SessionClient.ConnectAsync"/>
    /// <returns>The session. The caller disposes of it.</returns>
    public Task<SessionClient> ConnectAsync(string session, CancellationToken cancellationToken = default) =>
        SessionClient.ConnectAsync(_url, session, _options, cancellationToken);

    /// <inheritdoc cref="SessionClient.Start"/>
    /// <returns>The session. The caller disposes of it.</returns>
    public SessionClient Start(string session) => SessionClient.Start(_url, session, _options);
}
