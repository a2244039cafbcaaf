using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Clients;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>What the conformance tool accepts from a client program, and what it does not.</summary>
public sealed class ClientLinesTests
{
    private const string Accepted = """{"event":"accepted","id":"q-1","position":0}""";
    private const string Ended = """{"event":"ended","id":"q-1","status":"completed","text":""}""";
    private const string Busy = """{"event":"refused","id":"q-1","code":"session_busy"}""";
    private const string NoSuchQuestion = """{"event":"refused","id":"q-1","code":"question_not_found"}""";
    private const string Stopped = """{"event":"stopped","reason":"closed"}""";

    [Theory]
    [InlineData("'accepted' once for each question", Accepted, Accepted)]
    [InlineData("one end of each question", Accepted, Ended, Ended)]
    [InlineData("nothing of a question that is over", Busy, Accepted)]
    [InlineData("'refused' once for each ask and each cancel", Busy, Busy, Busy)]
    [InlineData("an end of each question that was asked, before 'stopped'", Accepted, Stopped)]
    [InlineData("nothing after 'stopped'", Ended, Stopped, """{"event":"state","state":"live"}""")]
    public async Task Lines_ThatPromiseTooMuch_FailTheCase(string expected, params string[] lines)
    {
        var fault = await Assert.ThrowsAsync<CaseFailedException>(() => TakeAsync(lines));

        Assert.Equal(expected, fault.Expected);
    }

    /// <summary>The cancel of a question is refused, or a second ask with its id. The question itself goes on.</summary>
    [Theory]
    [InlineData(Accepted, NoSuchQuestion, Ended, Stopped)]
    [InlineData(NoSuchQuestion, Accepted, Ended, Stopped)]
    [InlineData(Accepted, Busy, Ended, Stopped)]
    public Task RefusalOfACancel_DoesNotEndTheQuestion(params string[] lines) => TakeAsync(lines);

    /// <summary>Takes the lines of a client that was told to ask q-1 and to cancel it.</summary>
    private static async Task TakeAsync(string[] lines)
    {
        await using var client = new InProcessClient(async (_, output) =>
        {
            foreach (var line in lines)
            {
                await output.WriteLineAsync(line);
            }

            return 0;
        });
        var read = new ClientLines(client, new Limits());
        read.Told("""{"do":"ask","id":"q-1","question":"Hello?"}""");
        read.Told("""{"do":"cancel","id":"q-1"}""");

        await read.EndAsync();
    }

    private sealed class Limits : ICaseLimits
    {
        public Transcript Transcript { get; } = new();

        public Patience Patience { get; } = new(TimeSpan.FromSeconds(20));

        public string Remarks => "";
    }
}
