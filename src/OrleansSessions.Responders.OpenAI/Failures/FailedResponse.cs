using System.Globalization;
using System.Text.Json;

namespace OrleansSessions.Responders.OpenAI.Failures;

/// <summary>Reads a response with an error status: what its body says, and how long it asks to wait.</summary>
internal static class FailedResponse
{
    /// <summary>An error says what is wrong at its beginning, and what does not fit here is a web page.</summary>
    private const int MaxBodyBytes = 64 * 1024;

    /// <summary>The status is known, so the body is worth only a short wait. The session is busy meanwhile.</summary>
    private static readonly TimeSpan BodyTimeout = TimeSpan.FromSeconds(2);

    private static readonly JsonDocumentOptions Reading = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    /// <summary>The error in the body; null if there is none that can be understood, or if the body does not come in time.</summary>
    public static async Task<UpstreamError?> ReadErrorAsync(HttpResponseMessage response, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(BodyTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var buffer = new byte[MaxBodyBytes];
        var length = 0;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(either.Token);
            while (length < buffer.Length && await body.ReadAsync(buffer.AsMemory(length), either.Token) is var read and > 0)
            {
                length += read;
            }
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // What came can still be a whole error.
        }

        try
        {
            using var document = JsonDocument.Parse(buffer.AsMemory(0, length), Reading);
            return UpstreamError.Find(document.RootElement) ?? UpstreamError.From(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// The wait that the response asks for: seconds or a date in <c>Retry-After</c>, or milliseconds in <c>retry-after-ms</c>. Null if there is none.
    /// </summary>
    public static TimeSpan? ReadRetryAfter(HttpResponseMessage response, TimeProvider time)
    {
        if (Header(response, "retry-after-ms") is { } milliseconds && TryRead(milliseconds, TimeSpan.FromMilliseconds(1), out var wait))
        {
            return wait;
        }

        if (Header(response, "Retry-After") is not { } text)
        {
            return null;
        }

        if (TryRead(text, TimeSpan.FromSeconds(1), out wait))
        {
            return wait;
        }

        var until = response.Headers.RetryAfter?.Date - time.GetUtcNow();
        return until > TimeSpan.Zero ? until : null;
    }

    /// <summary>The header's value. A proxy can add a second one, and the first is as good as the other.</summary>
    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static bool TryRead(string text, TimeSpan unit, out TimeSpan wait)
    {
        const NumberStyles Decimal = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite;
        var isNumber = double.TryParse(text, Decimal, CultureInfo.InvariantCulture, out var number) && number >= 0 && number < TimeSpan.FromDays(365) / unit;
        wait = isNumber ? number * unit : default;
        return isNumber;
    }
}
