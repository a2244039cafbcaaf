using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OrleansSessions.EndToEndTests.Samples;
using Xunit;

namespace OrleansSessions.EndToEndTests.Documents;

/// <summary>Runs the README's samples as a reader would: one program in its own process, with the configuration that the README requires.</summary>
public sealed class EmbeddingSample : IAsyncLifetime
{
    private const string Clustering = "UseLocalhostClustering()";
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private HostProcess? _process;

    public Uri Address => _process!.Address;

    public HttpClient Http => _process!.Http;

    public AuthenticationHeaderValue Bearer => new("Bearer", Token());

    public async ValueTask InitializeAsync()
    {
        var blocks = Assert.Single(
            SampleCompiler.Programs(CodeBlocks.Of("README.md")), program => program.Any(block => block.Contains(Clustering, StringComparison.Ordinal)));
        var program = SampleCompiler.Compile("ReadmeSample", [.. blocks.Select(HostProcess.WithFreeSiloPorts)]);
        _process = await HostProcess.StartAsync("the README's sample", [.. SampleCompiler.RunArguments(program), .. Keys()]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
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
}
