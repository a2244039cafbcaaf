using System.Text;
using OrleansSessions.Responders;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>Plays a quirk to the responder over a real connection, and compares what it delivers after each step and at the end.</summary>
internal static class QuirkRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(Quirk quirk)
    {
        await using var upstream = await RawUpstream.StartAsync();
        // A quirk that pauses must not end by itself meanwhile, so its time passes in its pauses only.
        var paused = quirk.Steps.Any(step => step is QuirkStep.Pause) ? new FakeTimeProvider() : null;
        using var responder = UpstreamResponder.Create(upstream.Endpoint, time: paused);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Patience);
        await using var answer = new AnswerReading(responder);

        // 1. Each step, and what has been delivered after it. Only then the next step, so nothing is held back until the end.
        var exchange = await upstream.NextAsync(deadline.Token);
        var text = "";
        foreach (var step in quirk.Steps)
        {
            paused?.Advance(step is QuirkStep.Pause pause ? pause.Time : TimeSpan.Zero);
            await PlayAsync(step, exchange, answer);
            if (step is QuirkStep.Body { Text: { } sofar } && !quirk.HasBrokenCharacters)
            {
                text = sofar;
                await answer.UntilTextAsync(sofar);
            }
        }

        // 2. The end.
        await answer.UntilEndAsync();
        Check(quirk, answer, quirk.Outcome.Text ?? text);
        // No second request: the session decides whether to ask again.
        Assert.Equal(1, upstream.RequestsReceived);
    }

    private static async Task PlayAsync(QuirkStep step, RawExchange exchange, AnswerReading answer)
    {
        try
        {
            switch (step)
            {
                case QuirkStep.Head head:
                    await exchange.SendHeadAsync(head.Status, [.. head.Headers]);
                    break;
                case QuirkStep.Body { IsBytewise: true } body:
                    foreach (var value in body.Bytes)
                    {
                        await exchange.SendBodyAsync(new[] { value });
                    }

                    break;
                case QuirkStep.Body body:
                    var signs = answer.SignsOfLife;
                    await exchange.SendBodyAsync(body.Bytes).WaitAsync(Patience, TimeProvider.System);
                    if (body.IsSignOfLife)
                    {
                        await answer.UntilAsync(() => answer.SignsOfLife > signs, $"a sign of life for '{Encoding.UTF8.GetString(body.Bytes)}'");
                    }

                    break;
                case QuirkStep.Flood flood:
                    await FloodAsync(flood.Bytes, exchange, answer);
                    break;
                case QuirkStep.End:
                    await exchange.EndAsync();
                    break;
                case QuirkStep.Close:
                    exchange.Close();
                    break;
                case QuirkStep.Reset:
                    exchange.Reset();
                    break;
            }
        }
        catch (IOException)
        {
            // The responder has what it needs and has closed the connection. The end shows whether it was right.
        }
    }

    /// <summary>Sends until the answer goes on. The client may also stop reading, so a send alone would wait for ever.</summary>
    private static async Task FloodAsync(byte[] bytes, RawExchange exchange, AnswerReading answer)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        var start = TimeProvider.System.GetTimestamp();
        while (!answer.Next.IsCompleted && TimeProvider.System.GetElapsedTime(start) < Patience)
        {
            await ticks.WaitForNextTickAsync();
            var sent = exchange.SendBodyAsync(bytes);
            await Task.WhenAny(sent, answer.Next).WaitAsync(Patience, TimeProvider.System);
            if (sent.IsFaulted)
            {
                await sent;
            }
        }
    }

    private static void Check(Quirk quirk, AnswerReading answer, string text)
    {
        var expected = quirk.Outcome;
        Assert.True(HasText(quirk, answer.Text, text), $"The text must be '{text}'. Got {answer.Description}.");
        if (expected.FailureReasons.Count == 0)
        {
            Assert.True(
                answer.Failure is null && answer.IncompleteReason == expected.IncompleteReason,
                $"It must be {expected.IncompleteReason ?? "completed"}. Got {answer.Description}.");
            return;
        }

        var failure = answer.Failure as ResponderException;
        Assert.True(
            failure is not null && expected.FailureReasons.Contains(failure.Reason),
            $"It must fail with {string.Join(" or ", expected.FailureReasons)}. Got {answer.Description}.");
        Assert.True(
            expected.IsRetryable is null || expected.IsRetryable == failure.IsRetryable, $"Retryable must be {expected.IsRetryable}. Got {answer.Description}.");
        Assert.True(expected.RetryAfter?.Invoke(failure.RetryAfter) ?? true, $"RetryAfter is {failure.RetryAfter}.");
        Assert.Contains(expected.MessageWord ?? "", failure.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    private static bool HasText(Quirk quirk, string actual, string text)
    {
        if (!quirk.HasBrokenCharacters)
        {
            return actual == text;
        }

        // Lone surrogate halves become U+FFFD here, too.
        var whole = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(actual));
        return whole.Replace("\ufffd", "", StringComparison.Ordinal) == text;
    }
}
