using System.Net.Security;
using System.Net.Sockets;

namespace OrleansSessions.TestKit.Processes;

/// <summary>The TLS and the password of a Redis server in a test.</summary>
public sealed class RedisTls : IDisposable
{
    private const string Host = "localhost";

    private readonly TestCertificate _certificate = new(Host);

    /// <summary>The password that the server asks for. Nothing else contains this text.</summary>
    public string Password { get; } = $"secret-{Guid.NewGuid():N}";

    /// <inheritdoc cref="TestCertificate.AuthorityFile"/>
    public string AuthorityFile => _certificate.AuthorityFile;

    /// <summary>The arguments of <c>redis-server</c>.</summary>
    internal IEnumerable<string> Arguments(string port) =>
    [
        "--port", "0", "--tls-port", port, "--requirepass", Password, "--tls-cert-file", _certificate.CertificateFile,
        "--tls-key-file", _certificate.KeyFile, "--tls-ca-cert-file", AuthorityFile, "--tls-auth-clients", "no",
    ];

    internal async Task<Stream> OpenAsync(NetworkStream stream)
    {
        var secured = new SslStream(stream);
        await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = Host, CertificateChainPolicy = _certificate.TrustPolicy() });
        return secured;
    }

    public void Dispose() => _certificate.Dispose();
}
