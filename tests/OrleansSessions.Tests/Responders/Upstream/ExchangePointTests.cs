using System.Text;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>The same three things at every point of an exchange: a cancel while the upstream is silent, a reset, and a slow upstream.</summary>
public sealed class ExchangePointTests : UpstreamTest
{
    private const string ErrorBody = """{"error":{"message":"out of memory","type":"server_error","code":null}}""";

    // Much less than the two seconds that draining the connection would take.
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(1.5);

    /// <summary>How far the upstream is when it happens.</summary>
    public enum Point
    {
        BeforeTheHead,
        AfterTheHead,
        InAnEvent,
        BetweenEvents,
        AfterTheFinishReason,
        InAnErrorBody,
    }

    public static TheoryData<Point> Points => new(Enum.GetValues<Point>());

    [Theory]
    [MemberData(nameof(Points))]
    public async Task Cancel_ClosesTheConnectionAtOnce(Point point)
    {
        await using var answer = new AnswerReading(Responder);
        var (exchange, _) = await AdvanceAsync(answer, point);

        await answer.CancelAsync();

        await answer.UntilEndAsync();
        AssertCancelled(answer, point);
        await exchange.ClosedByClient.WaitAsync(ClosePatience, TimeProvider.System, Deadline);
    }

    [Theory]
    [MemberData(nameof(Points))]
    public async Task Reset_EndsTheAnswerAtOnce(Point point)
    {
        await using var answer = new AnswerReading(Responder);
        var (exchange, text) = await AdvanceAsync(answer, point);

        exchange.Reset();

        await answer.UntilEndAsync();
        Assert.Equal(text, answer.Text);
        if (point == Point.AfterTheFinishReason)
        {
            Assert.True(answer.Failure is null, answer.Description);
            return;
        }

        string[] reasons = point switch
        {
            Point.BeforeTheHead => [DoneReasons.ResponderUnavailable],
            Point.AfterTheHead => [DoneReasons.ResponderUnavailable, DoneReasons.ResponderCut],
            Point.InAnErrorBody => [DoneReasons.ResponderError],
            _ => [DoneReasons.ResponderCut],
        };
        var failure = Assert.IsType<ResponderException>(answer.Failure);
        Assert.Contains(failure.Reason, reasons);
        Assert.True(failure.IsRetryable);
        Assert.Equal(1, Upstream.RequestsReceived);
    }

    [Theory]
    [MemberData(nameof(Points))]
    public async Task SlowUpstream_IsReadToTheEnd(Point point)
    {
        await using var answer = new AnswerReading(Responder);
        var (exchange, text) = await AdvanceAsync(answer, point);

        await DripAsync(exchange, point);

        await answer.UntilEndAsync();
        if (point == Point.InAnErrorBody)
        {
            var failure = Assert.IsType<ResponderException>(answer.Failure);
            Assert.Equal((DoneReasons.ResponderError, true), (failure.Reason, failure.IsRetryable));
            return;
        }

        Assert.True(answer.Failure is null, answer.Description);
        Assert.Equal(point is Point.AfterTheFinishReason ? text : "Hello", answer.Text);
    }

    /// <summary>Plays the exchange up to the point. Returns the text that has been delivered by then.</summary>
    private async Task<(RawExchange Exchange, string Text)> AdvanceAsync(AnswerReading answer, Point point)
    {
        var exchange = await Upstream.NextAsync(Deadline);
        if (point == Point.BeforeTheHead)
        {
            return (exchange, "");
        }

        if (point == Point.InAnErrorBody)
        {
            await exchange.SendHeadAsync(500, ("Content-Type", "application/json"), RawFraming.Chunked);
            await exchange.SendChunkAsync(ErrorBody[..20]);
            return (exchange, "");
        }

        await exchange.SendHeadAsync(200, ("Content-Type", "text/event-stream"), RawFraming.Chunked);
        if (point == Point.AfterTheHead)
        {
            return (exchange, "");
        }

        await exchange.SendChunkAsync(Sse.Text("Hel"));
        await answer.UntilTextAsync("Hel");
        if (point == Point.InAnEvent)
        {
            await exchange.SendChunkAsync(Sse.Text("lo")[..40]);
        }
        else if (point == Point.AfterTheFinishReason)
        {
            await exchange.SendChunkAsync(Sse.Finish());
        }

        return (exchange, "Hel");
    }

    /// <summary>Sends the rest of the exchange byte by byte, one each millisecond.</summary>
    private async Task DripAsync(RawExchange exchange, Point point)
    {
        var rest = point switch
        {
            Point.BeforeTheHead or Point.AfterTheHead => Sse.Text("Hel") + Sse.Text("lo") + Sse.Finish() + Sse.Done,
            Point.InAnEvent => Sse.Text("lo")[40..] + Sse.Finish() + Sse.Done,
            Point.BetweenEvents => Sse.Text("lo") + Sse.Finish() + Sse.Done,
            Point.AfterTheFinishReason => Sse.Event("""{"choices":[],"usage":{"prompt_tokens":3}}""") + Sse.Done,
            _ => ErrorBody[20..],
        };
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        try
        {
            if (point == Point.BeforeTheHead)
            {
                foreach (var letter in "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
                {
                    await ticks.WaitForNextTickAsync(Deadline);
                    await exchange.SendRawAsync(letter.ToString());
                }
            }

            foreach (var value in Encoding.UTF8.GetBytes(rest))
            {
                await ticks.WaitForNextTickAsync(Deadline);
                await exchange.SendBodyAsync(new[] { value });
            }

            if (point == Point.BeforeTheHead)
            {
                exchange.Close();
            }
            else
            {
                await exchange.EndAsync();
            }
        }
        catch (IOException)
        {
            // The responder has what it needs.
        }
    }

    /// <summary>Where the answer or its failure is already known, the responder may have ended before the cancel.</summary>
    private static void AssertCancelled(AnswerReading answer, Point point)
    {
        var isRight = point switch
        {
            Point.AfterTheFinishReason => answer.Failure is null or OperationCanceledException,
            Point.InAnErrorBody => answer.Failure is OperationCanceledException or ResponderException { Reason: DoneReasons.ResponderError },
            _ => answer.Failure is OperationCanceledException,
        };
        Assert.True(isRight, answer.Description);
    }
}
