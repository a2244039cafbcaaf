using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Reflection;
using OrleansSessions.Protocol;

namespace OrleansSessions.Responders.ChatClient;

/// <summary>
/// What an exception of a client means for the question. The libraries behind <c>IChatClient</c> have exceptions of their own, so the HTTP status is looked for
/// by the names that they use. No message of an exception is repeated, because it can contain the question and the key.
/// </summary>
internal sealed class ClientFaults(TimeProvider time)
{
    private const int MaxDepth = 8;
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance;

    /// <param name="fault">What the client threw.</param>
    /// <param name="hasText">True if there was text before.</param>
    public ResponderException ToFailure(Exception fault, bool hasText)
    {
        var chain = ChainOf(fault).ToList();
        var status = chain.Select(StatusOf).FirstOrDefault(found => found is not null);
        var (reason, message, isRetryable) = status switch
        {
            408 or 429 or 502 or 503 or 504 => (DoneReasons.ResponderUnavailable, $"The model answered with HTTP status {status}.", true),
            409 or 425 or >= 500 => (DoneReasons.ResponderError, $"The model answered with HTTP status {status}.", true),
            not null => (DoneReasons.ResponderError, $"The model answered with HTTP status {status}.", false),
            null when !chain.Any(IsOfConnection) => (DoneReasons.ResponderError, "The model's client failed.", false),
            null when hasText => (DoneReasons.ResponderCut, "The connection to the model broke before the answer was complete.", true),
            null => (DoneReasons.ResponderUnavailable, "The model cannot be reached, or did not answer.", true),
        };
        var retryAfter = isRetryable ? chain.Select(RetryAfterOf).FirstOrDefault(found => found is not null) : null;
        return new(reason, message, isRetryable, fault) { IsSafeToLog = true, RetryAfter = retryAfter };
    }

    private static IEnumerable<Exception> ChainOf(Exception? fault)
    {
        for (var depth = 0; fault is not null && depth < MaxDepth; depth++)
        {
            yield return fault;
            fault = fault.InnerException;
        }
    }

    /// <summary>A cancellation here is a time-out of the client, because the question's own token is not cancelled.</summary>
    private static bool IsOfConnection(Exception fault) =>
        fault is HttpRequestException or IOException or SocketException or TimeoutException or OperationCanceledException;

    /// <summary>
    /// <c>StatusCode</c> of <c>HttpRequestException</c> and of many clients, <c>Status</c> of <c>System.ClientModel</c> and <c>Azure.Core</c>.
    /// </summary>
    private static int? StatusOf(Exception fault)
    {
        foreach (var name in (ReadOnlySpan<string>)["StatusCode", "Status"])
        {
            var value = fault.GetType().GetProperty(name, Members)?.GetValue(fault);
            if (value is int or System.Net.HttpStatusCode && Convert.ToInt32(value, CultureInfo.InvariantCulture) is >= 400 and <= 599 and var status)
            {
                return status;
            }
        }

        return null;
    }

    /// <summary>
    /// A property <c>RetryAfter</c>, or the header of the response that <c>System.ClientModel</c> and <c>Azure.Core</c> keep in their exceptions.
    /// </summary>
    private TimeSpan? RetryAfterOf(Exception fault)
    {
        if (fault.GetType().GetProperty("RetryAfter", Members)?.GetValue(fault) is TimeSpan known)
        {
            return known;
        }

        if (TryRead(HeaderOf(fault, "retry-after-ms"), TimeSpan.FromMilliseconds(1), out var wait))
        {
            return wait;
        }

        var text = HeaderOf(fault, "Retry-After");
        if (TryRead(text, TimeSpan.FromSeconds(1), out wait))
        {
            return wait;
        }

        return RetryConditionHeaderValue.TryParse(text, out var value) && value.Date - time.GetUtcNow() is { } until && until > TimeSpan.Zero ? until : null;
    }

    private static bool TryRead(string? text, TimeSpan unit, out TimeSpan wait)
    {
        const NumberStyles Decimal = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite;
        var isNumber = double.TryParse(text, Decimal, CultureInfo.InvariantCulture, out var number) && number >= 0 && number < TimeSpan.FromDays(365) / unit;
        wait = isNumber ? number * unit : default;
        return isNumber;
    }

    private static string? HeaderOf(Exception fault, string name)
    {
        var response = fault.GetType().GetMethod("GetRawResponse", Members, [])?.Invoke(fault, null);
        var headers = response?.GetType().GetProperty("Headers", Members)?.GetValue(response);
        object?[] arguments = [name, null];
        var read = headers?.GetType().GetMethod("TryGetValue", Members, [typeof(string), typeof(string).MakeByRefType()]);
        return read?.Invoke(headers, arguments) is true ? arguments[1] as string : null;
    }
}
