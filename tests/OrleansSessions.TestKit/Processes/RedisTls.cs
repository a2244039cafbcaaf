using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrleansSessions.TestKit.Processes;

/// <summary>
/// The TLS and the password of a Redis server in a test: an authority that exists only in this test has issued a certificate for <c>localhost</c>.
/// The files are removed when this object is disposed.
/// </summary>
public sealed class RedisTls : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("redis-tls-");

    public RedisTls()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Authority of a test", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var authorityCertificate = authority.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var server = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        server.CertificateExtensions.Add(names.Build());
        using var certificate = server.Create(authorityCertificate, now.AddHours(-1), now.AddHours(1), RandomNumberGenerator.GetBytes(8));

        File.WriteAllText(AuthorityFile, authorityCertificate.ExportCertificatePem());
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The password that the server asks for. Nothing else contains this text.</summary>
    public string Password { get; } = $"secret-{Guid.NewGuid():N}";

    /// <summary>The certificate of the authority, for <c>SSL_CERT_FILE</c>.</summary>
    public string AuthorityFile => Path.Combine(_folder.FullName, "authority.pem");

    private string CertificateFile => Path.Combine(_folder.FullName, "server.pem");

    private string KeyFile => Path.Combine(_folder.FullName, "server.key");

    /// <summary>The arguments of <c>redis-server</c>.</summary>
    internal IEnumerable<string> Arguments(string port) =>
    [
        "--port", "0", "--tls-port", port, "--requirepass", Password, "--tls-cert-file", CertificateFile, "--tls-key-file", KeyFile,
        "--tls-ca-cert-file", AuthorityFile, "--tls-auth-clients", "no",
    ];

    internal async Task<Stream> OpenAsync(NetworkStream stream)
    {
        using var authority = X509CertificateLoader.LoadCertificateFromFile(AuthorityFile);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        var secured = new SslStream(stream);
        await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy });
        return secured;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
