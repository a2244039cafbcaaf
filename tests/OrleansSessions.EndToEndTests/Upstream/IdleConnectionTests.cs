using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>An upstream that closes idle connections, also in the moment in which the next question is sent on one.</summary>
[Collection(typeof(PatientModelServerUsers))]
public sealed class IdleConnectionTests(PatientModelServer server)
{
    private const int Questions = 20;

    [Fact]
    public async Task Questions_InARow_AllComplete_HoweverTheUpstreamClosesIdleConnections()
    {
        await using var client = await server.ConnectAsync();
        var received = server.Upstream.RequestsReceived;
        var keys = new HashSet<string>();
        var (closed, raced) = (0, new List<Task>());
        for (var i = 0; i < Questions; i++)
        {
            var question = await client.AskAsync($"Question {i}?");
            var exchange = await server.NextAsync();
            Assert.True(keys.Add(exchange.Headers["Idempotency-Key"]), $"Question {i} reached the upstream twice.");
            await exchange.AnswerAsync($"Answer {i}.");
            await client.PumpUntilDoneAsync(question);
            Assert.Equal(("completed", $"Answer {i}."), (question.Status, question.Answer.ToString()));

            // A question that is sent again goes over a connection of its own, which is not kept. The one after it opens another, which can be closed again.
            switch (i % 5)
            {
                case 0:
                    raced.Add(server.Upstream.CloseOnNextRequest(RawCloseMoment.AtArrival, isReset: false));
                    break;
                case 2:
                    raced.Add(server.Upstream.CloseOnNextRequest(RawCloseMoment.AtArrival, isReset: true));
                    break;
                case 4:
                    closed += server.Upstream.CloseIdleConnections();
                    break;
            }
        }

        Assert.Equal(Questions, server.Upstream.RequestsReceived - received);
        Assert.True(closed > 0, "No connection was idle.");
        Assert.Contains(raced, race => race.IsCompletedSuccessfully);
    }
}
