using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Access;

/// <summary>nginx with the configuration in docs/security.md. Only what names the machine is replaced: ports, files and the certificate.</summary>
internal sealed partial class TlsProxy : IAsyncDisposable
{
    /// <summary>The name in the document.</summary>
    public const string Host = "chat.example.com";

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    private readonly TestCertificate _certificate;
    private readonly DirectoryInfo _folder;
    private readonly ChildProcess _nginx;
    private readonly SocketsHttpHandler _handler;

    private TlsProxy(TestCertificate certificate, DirectoryInfo folder, ChildProcess nginx, int port)
    {
        (_certificate, _folder, _nginx) = (certificate, folder, nginx);
        _handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = certificate.TrustPolicy() },

            // The name does not exist; nginx listens on this machine.
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        Address = new Uri($"https://{Host}:{port}");
        Http = new HttpClient(_handler, disposeHandler: false) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };
        Invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    /// <summary>Connects WebSockets through the proxy.</summary>
    public HttpMessageInvoker Invoker { get; }

    public string AccessLog => File.ReadAllText(Path.Combine(_folder.FullName, "chat.log"));

    /// <summary>Skips the test where nginx is absent; on a build server that is a failure.</summary>
    public static async Task<TlsProxy> StartAsync(Uri server)
    {
        var program = RequiredProgram.Find("nginx");
        var certificate = new TestCertificate(Host);
        var folder = Directory.CreateTempSubdirectory("nginx-");
        var port = FreePort.Take();
        var file = Path.Combine(folder.FullName, "nginx.conf");
        await File.WriteAllTextAsync(file, Around(Fill(Documented(), certificate, folder.FullName, server, port), folder.FullName));
        var nginx = ChildProcess.Start("nginx", program, ["-c", file, "-p", folder.FullName, "-g", "daemon off;"]);
        var proxy = new TlsProxy(certificate, folder, nginx, port);
        try
        {
            await nginx.UntilAsync(() => proxy.AnswersAsync(), "nginx answers", StartPatience);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    public Uri Socket(string pathAndQuery) => new($"wss://{Address.Authority}{pathAndQuery}");

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Invoker.Dispose();
        _handler.Dispose();
        await _nginx.DisposeAsync();
        _certificate.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var response = await Http.GetAsync(new Uri("/", UriKind.Relative));
            return response.StatusCode != HttpStatusCode.BadGateway;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string Documented() =>
        Block().Match(File.ReadAllText(Path.Combine(RepositoryFolder.Path, "docs", "security.md"))).Groups["code"].Value;

    private static string Fill(string configuration, TestCertificate certificate, string folder, Uri server, int port)
    {
        (string Before, string After)[] machine =
        [
            ("listen 443 ssl;", $"listen 127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)} ssl;"),
            ("/etc/nginx/tls/chat.example.com.pem", certificate.CertificateFile),
            ("/etc/nginx/tls/chat.example.com.key", certificate.KeyFile),
            ("/var/log/nginx/chat.log", Path.Combine(folder, "chat.log")),
            ("http://127.0.0.1:5080", server.GetLeftPart(UriPartial.Authority)),
        ];
        foreach (var (before, after) in machine)
        {
            Assert.Contains(before, configuration);
            configuration = configuration.Replace(before, after, StringComparison.Ordinal);
        }

        return configuration;
    }

    /// <summary>What every nginx has around it. The folders for temporary files are those of root otherwise.</summary>
    private static string Around(string configuration, string folder) => $$"""
        pid {{folder}}/nginx.pid;
        error_log stderr warn;
        events { worker_connections 256; }
        http {
            client_body_temp_path {{folder}}/body;
            proxy_temp_path {{folder}}/proxy;
            fastcgi_temp_path {{folder}}/fastcgi;
            uwsgi_temp_path {{folder}}/uwsgi;
            scgi_temp_path {{folder}}/scgi;
            {{configuration}}
        }
        """;

    [GeneratedRegex("^<!-- nginx: tls -->\n```nginx\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
