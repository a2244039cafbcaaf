using System.Text.Json;
using OrleansSessions.EndToEndTests.Access;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Tokens;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The Python package with real servers. The scripts in <c>python/package</c> say what is expected.</summary>
public sealed class PythonPackageServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string[] QuickReconnects = ["SocketGateway:ReconnectMin=00:00:00.010", "SocketGateway:ReconnectMax=00:00:00.050"];

    [Fact]
    public async Task Asking_OverBrokenConnections_WithOtherClients_WithTokens_AndOverTls()
    {
        await PythonInterpreter.RequireAsync();
        await using var server = await ServerProcess.StartAsync([.. AccessServerFixture.Settings, .. QuickReconnects]);
        using var certificate = new TestCertificate("localhost");

        await PythonPackage.RunAsync(
            "asking.py", [.. Surroundings(server, certificate), ("TOKEN_KEY", AccessServerFixture.Key), ("TOKEN_ISSUER", TestToken.DefaultIssuer), ("TOKEN_AUDIENCE", TestToken.DefaultAudience)]);
    }

    [Fact]
    public async Task Answering_StreamsItsPieces_NoticesACancelWhileSilent_AndGoesOnAfterABrokenConnection()
    {
        await PythonInterpreter.RequireAsync();
        await using var server = await ServerProcess.StartAsync([.. AccessServerFixture.Settings, .. QuickReconnects, "Responder:Name=external"]);
        using var certificate = new TestCertificate("localhost");

        await PythonPackage.RunAsync(
            "answering.py", [.. Surroundings(server, certificate), ("ASKER_KEY", AccessServerFixture.PlainKey), ("ANSWERER_KEY", AccessServerFixture.AnswerKey)]);
    }

    [Fact]
    public async Task Answering_WhenTheServerIsKilledAndHasLostText_SendsItAgain()
    {
        await PythonInterpreter.RequireAsync();
        var folder = Directory.CreateTempSubdirectory("sessions-");
        try
        {
            // Saved so rarely that the first piece is lost.
            string[] settings =
            [
                $"urls=http://127.0.0.1:{FreePort.Take()}", "Responder:Name=external", "Sessions:Persistence=File",
                $"Sessions:File={Path.Combine(folder.FullName, "sessions.db")}", "Sessions:CheckpointInterval=00:01:00", .. QuickReconnects,
            ];
            await using var first = await ServerProcess.StartAsync(settings);
            await using var script = await PythonPackage.StartAsync("restart.py", first.Address.AbsoluteUri);
            await script.UntilAsync(() => Task.FromResult(script.Output.Contains("seen", StringComparison.Ordinal)), "the asker has the first piece", Patience);

            first.Kill();
            await first.ExitAsync(Patience);
            await using var second = await ServerProcess.StartAsync(settings);
            await script.WriteLineAsync("go on");

            Assert.True(await script.ExitAsync(Patience) == 0, script.Output);
            var result = JsonSerializer.Deserialize<JsonElement>(script.Output.Split('\n')[^1]);
            Assert.Equal(("completed", "one two"), (result.Text("status"), result.Text("text")));
            Assert.Contains("Restarted", result.GetProperty("updates").EnumerateArray().Select(update => update.GetString()));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static (string Name, string Value)[] Surroundings(ServerProcess server, TestCertificate certificate) =>
    [
        ("SESSIONS_URL", server.Address.AbsoluteUri.TrimEnd('/')), ("TLS_AUTHORITY", certificate.AuthorityFile),
        ("TLS_CERTIFICATE", certificate.CertificateFile), ("TLS_KEY", certificate.KeyFile),
    ];
}
