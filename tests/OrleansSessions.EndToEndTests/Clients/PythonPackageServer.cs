using OrleansSessions.EndToEndTests.Access;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>A server that requires tokens and advises clients to reconnect at once.</summary>
public abstract class PythonPackageServer(string responder)
    : ServerFixture([.. AccessServerFixture.Settings, .. QuickReconnects, $"Responder:Name={responder}"])
{
    public static string[] QuickReconnects { get; } = ["SocketGateway:ReconnectMin=00:00:00.010", "SocketGateway:ReconnectMax=00:00:00.050"];

    /// <summary>Runs a script that gets the address of this server, a certificate for its own proxy, and these variables.</summary>
    public async Task RunAsync(string script, params (string Name, string Value)[] environment)
    {
        using var certificate = new TestCertificate("localhost");
        await PythonPackage.RunAsync(
            script,
            [
                .. environment, ("SESSIONS_URL", Server.Address.AbsoluteUri.TrimEnd('/')), ("TLS_AUTHORITY", certificate.AuthorityFile),
                ("TLS_CERTIFICATE", certificate.CertificateFile), ("TLS_KEY", certificate.KeyFile),
            ]);
    }
}

/// <summary>A server that repeats each question.</summary>
public sealed class PythonAskingServer() : PythonPackageServer("echo");

/// <summary>A server whose questions are answered from outside.</summary>
public sealed class PythonAnsweringServer() : PythonPackageServer("external");
