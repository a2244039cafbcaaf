using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Operations;

/// <summary>The log that the server writes about a session.</summary>
public sealed class LogTests
{
    private const string Asked = "Whose birthday is it?";
    private static readonly string[] WithoutPauses = ["Responder:Echo:InitialDelay=00:00:00", "Responder:Echo:Delay=00:00:00"];

    [Fact]
    public async Task Log_WithTheProductAtDebug_ShowsTheLifeOfASession_WithIdsAndWithoutTexts()
    {
        await using var server = await ServerProcess.StartWithAsync(new() { ["Logging__LogLevel__OrleansSessions"] = "Debug" }, WithoutPauses);
        var (session, question) = await LiveAsync(server);

        foreach (var line in new[]
        {
            $"registered for session {session}", $"Session /{session}: question {question} accepted", $"Session /{session}: question {question} ended Completed",
            $"of session {session} removed: close code", $"Session /{session} removed",
        })
        {
            await Eventually.TrueAsync(() => server.Output.Contains(line, StringComparison.Ordinal), $"the log says '{line}'");
        }

        Assert.DoesNotContain("birthday", server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("dbug: Orleans.", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_ByDefault_ShowsWhatAnOperatorNeeds_AndNotEachQuestion()
    {
        await using var server = await ServerProcess.StartAsync(WithoutPauses);
        var (session, question) = await LiveAsync(server);

        await Eventually.TrueAsync(() => server.Output.Contains($"Session /{session} removed", StringComparison.Ordinal), "the log says that the session was removed");
        Assert.DoesNotContain(question, server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("info: Orleans.", server.Output, StringComparison.Ordinal);
    }

    /// <summary>Uses a session from its first socket to its removal.</summary>
    private static async Task<(string Session, string Question)> LiveAsync(ServerProcess server)
    {
        var session = Names.Session();
        await using var client = new ReferenceClient(query => server.Socket(session, query));
        await client.ConnectAsync();
        var question = await client.AskAsync(Asked);
        await client.PumpUntilDoneAsync(question);
        await server.Http.CallAsync(HttpMethod.Delete, $"/v1/sessions/{session}");
        await client.Socket.EndAsync();
        return (session, question.Id);
    }
}
