using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Documents;

/// <summary>The README's samples as a reader would run them: one program in a process of its own, with the configuration that the README asks for.</summary>
public sealed class EmbeddingSample : IAsyncLifetime
{
    private const string Clustering = "UseLocalhostClustering()";
    private const string Listening = "Now listening on: ";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private ChildProcess? _process;

    public Uri Address { get; private set; } = null!;

    public HttpClient Http { get; } = new();

    public AuthenticationHeaderValue Bearer => new("Bearer", Token());

    public string Output => _process!.Output;

    public async ValueTask InitializeAsync()
    {
        var blocks = CodeBlocks.Of("README.md");
        Assert.Contains(blocks, block => block.Contains(Clustering, StringComparison.Ordinal));
        // The sample's own ports are the same in every process; two test runs must not meet there.
        var program = SampleCompiler.Compile(
            "ReadmeSample", [.. blocks.Select(block => block.Replace(Clustering, $"UseLocalhostClustering({FreePort()}, {FreePort()})", StringComparison.Ordinal))]);
        _process = ChildProcess.Start("the README's sample", ChildProcess.DotnetPath, [.. Runtime(), program, "--urls=http://127.0.0.1:0", .. Keys()]);
        await _process.UntilAsync(
            () => Task.FromResult(Output.Contains("Application started", StringComparison.Ordinal)), "it has started", StartPatience);
        Address = new Uri(Output.Split('\n').First(line => line.Contains(Listening, StringComparison.Ordinal)).Split(Listening)[1].Trim());
        Http.BaseAddress = Address;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }

    /// <summary>It uses the assemblies and the packages of this project, which has what the sample needs.</summary>
    private static IEnumerable<string> Runtime()
    {
        var own = Path.ChangeExtension(typeof(EmbeddingSample).Assembly.Location, null);
        return ["exec", "--runtimeconfig", $"{own}.runtimeconfig.json", "--depsfile", $"{own}.deps.json"];
    }

    private IEnumerable<string> Keys() =>
    [
        "--Authentication:Schemes:Bearer:ValidIssuer=tests", "--Authentication:Schemes:Bearer:ValidAudiences:0=sessions",
        "--Authentication:Schemes:Bearer:SigningKeys:0:Issuer=tests", $"--Authentication:Schemes:Bearer:SigningKeys:0:Value={Convert.ToBase64String(_key)}",
    ];

    private string Token()
    {
        var unsigned = $"{Encode(new { alg = "HS256", typ = "JWT" })}.{Encode(new { iss = "tests", aud = "sessions", sub = "reader", exp = 4102444800 })}";
        return $"{unsigned}.{Base64Url(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(unsigned)))}";
    }

    private static string Encode(object part) => Base64Url(JsonSerializer.SerializeToUtf8Bytes(part));

    private static string Base64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
