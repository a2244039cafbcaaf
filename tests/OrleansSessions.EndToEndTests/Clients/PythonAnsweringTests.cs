using System.Text.Json;
using OrleansSessions.EndToEndTests.Access;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The Python package answers on a real server. The scripts in <c>python/package</c> say what is expected.</summary>
public sealed class PythonAnsweringTests(PythonAnsweringServer server) : IClassFixture<PythonAnsweringServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public Task Answering_StreamsItsPieces_NoticesACancelWhileSilent_AndGoesOnAfterABrokenConnection() =>
        server.RunAsync("answering.py", ("ASKER_KEY", AccessServerFixture.PlainKey), ("ANSWERER_KEY", AccessServerFixture.AnswerKey));

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
                $"Sessions:File={Path.Combine(folder.FullName, "sessions.db")}", "Sessions:CheckpointInterval=00:01:00", .. PythonPackageServer.QuickReconnects,
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
            // The request that delivered the answer began at its start: the new process had none of the text.
            var offsets = result.GetProperty("offsets").EnumerateArray().Select(offset => offset.GetInt32()).ToArray();
            Assert.True(offsets.Length > 1 && offsets[^1] == 0, script.Output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
