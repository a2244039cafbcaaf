using System.Text.Json;
using System.Text.RegularExpressions;

namespace OrleansSessions.Responders.OpenAI.Failures;

/// <summary>An error as an upstream describes it in JSON. Its own words are never repeated, because they can contain the question and the key.</summary>
internal sealed partial record UpstreamError
{
    private const int MaxTokenLength = 64;

    /// <summary>An error that complains about a field is short.</summary>
    private const int MaxSearchedLength = 16 * 1024;

    private static readonly string[] SpentWords = ["quota", "billing", "balance", "credit"];

    private static readonly string[] LastingWords =
    [
        "invalid", "not_found", "unsupported", "not_supported", "auth", "permission", "denied", "forbidden", "context_length", "too_l", "exceeds", "policy",
        "bad_request", "unprocessable", "validation",
    ];

    private static readonly string[] PassingWords =
    [
        "server", "overload", "rate", "timeout", "timed_out", "unavailable", "internal", "capacity", "busy", "tempor", "exhausted", "throttl", "too_many",
        "api_error", "engine", "generation",
    ];

    private string _param = "";
    private string _text = "";

    /// <summary>The upstream's name for the kind of error, or null. Only if it looks like an identifier.</summary>
    public string? Type { get; private init; }

    /// <summary>The upstream's code, or null. Only if it looks like an identifier.</summary>
    public string? Code { get; private init; }

    /// <summary>The HTTP status that the error names, or null.</summary>
    public int? Status { get; private init; }

    /// <summary>True if the content was blocked, as opposed to a fault.</summary>
    public bool IsRefusal => Is(Code, "content_filter", "content_policy_violation") || Is(Type, "content_filter", "content_policy_violation");

    /// <summary>The error in a JSON value, or null if there is none.</summary>
    public static UpstreamError? Find(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Array)
        {
            return root.GetArrayLength() > 0 ? Find(root[0]) : null;
        }

        var isCompletion = root.Field("choices") is not null;
        var error = root.Field("error");
        if (IsError(error, isCompletion))
        {
            return From(error!.Value, root.Field("error_type"));
        }

        return root switch
        {
            _ when root.Field("object").Is("error") || root.Field("type").Is("error") => From(root),
            _ when isCompletion => null,
            _ when root.Field("errors") is { ValueKind: JsonValueKind.Array } errors && errors.GetArrayLength() > 0 => From(errors[0]),
            _ when IsError(root.Field("detail"), isBesideText: false) => From(root),
            _ when root.Field("message") is { ValueKind: JsonValueKind.String } && HasErrorCode(root) => From(root),
            _ when root.Field("base_resp") is { } response && response.Field("status_code").AsCount() is > 0 => From(response),
            _ => null,
        };
    }

    /// <summary>The error in a field named so, beside a text or in place of one. Null if the field says that there is none.</summary>
    public static UpstreamError? In(JsonElement? field, bool isBesideText) => IsError(field, isBesideText) ? From(field!.Value) : null;

    /// <summary>An error, from the value that describes it.</summary>
    /// <param name="type">Its type, if that is written elsewhere.</param>
    public static UpstreamError From(JsonElement error, JsonElement? type = null)
    {
        var code = (error.Field("code") ?? error.Field("status_code") ?? error.Field("http_status_code") ?? error.Field("status")).AsText();
        return new UpstreamError
        {
            Type = Token((error.Field("type") ?? type).AsText()),
            Code = Token(code),
            Status = int.TryParse(code, out var status) && status is >= 400 and <= 599 ? status : null,
            _param = error.Field("param").AsText() ?? "",
            _text = error.GetRawText() is { Length: <= MaxSearchedLength } text ? text : "",
        };
    }

    /// <summary>True if asking again can succeed.</summary>
    /// <param name="status">The status of the response, or null if it is no help.</param>
    /// <param name="otherwise">The result if the error does not say.</param>
    public bool IsRetryable(int? status, bool otherwise)
    {
        var words = $"{Code} {Type}";
        return words switch
        {
            _ when Has(words, SpentWords) && !Has(words, ["throttl"]) => false,
            _ when (Status ?? status) is { } known => IsRetryable(known),
            _ when Has(words, LastingWords) => false,
            _ when Has(words, PassingWords) => true,
            _ => otherwise,
        };
    }

    /// <summary>True if asking again can succeed after an HTTP status.</summary>
    public static bool IsRetryable(int status) => status is 408 or 409 or 425 or 429 or >= 500;

    /// <summary>False if the value says that there is no error, as some servers do in each chunk.</summary>
    private static bool IsError(JsonElement? error, bool isBesideText) => error?.ValueKind switch
    {
        null or JsonValueKind.False or JsonValueKind.Null => false,
        JsonValueKind.Number => error.AsCount() != 0,
        JsonValueKind.String => error.AsText() is not "",
        JsonValueKind.Array => error.Value.GetArrayLength() > 0,
        JsonValueKind.Object => !isBesideText || error.Value.EnumerateObject().Any(),
        _ => true,
    };

    /// <summary>True if a code or a status names an error, as opposed to a success or the state of a request that waits.</summary>
    private static bool HasErrorCode(JsonElement root)
    {
        var code = root.Field("code");
        if (code is not null)
        {
            return code.AsCount() is { } number
                ? number is not (0 or (>= 200 and < 300))
                : code.AsText() is not (null or "") and var text && !Is(text, "success", "ok");
        }

        var status = root.Field("status");
        return status.AsCount() is >= 400 || Has(status.AsText() ?? "", ["error", "fail", .. LastingWords]);
    }

    /// <summary>
    /// The field that the error complains about, of those that were sent: by its <c>param</c>, or by its words, wherever they are. A short name counts only in
    /// quotes, because a word like <c>user</c> is in many messages, and not as the name of a JSON field.
    /// </summary>
    public string? FindField(IReadOnlyCollection<string> sent)
    {
        var steps = _param.Split(['.', '[', ']', '/'], StringSplitOptions.RemoveEmptyEntries);
        return sent.FirstOrDefault(field => steps.Contains(field))
            ?? First(sent, PlaceInQuotes)
            ?? First(sent, field => field.Contains('_') ? _text.IndexOf(field, StringComparison.Ordinal) : -1);
    }

    private static string? First(IEnumerable<string> fields, Func<string, int> findPlace) =>
        fields.Select(field => (Field: field, Place: findPlace(field))).Where(found => found.Place >= 0).OrderBy(found => found.Place).FirstOrDefault().Field;

    /// <summary>Quotes can be of each kind, and escaped where JSON is inside a string.</summary>
    private int PlaceInQuotes(string field)
    {
        for (var place = _text.IndexOf(field, StringComparison.Ordinal); place >= 0; place = _text.IndexOf(field, place + 1, StringComparison.Ordinal))
        {
            var rest = _text.AsSpan(place + field.Length).TrimStart('\\');
            if (place > 0 && IsQuote(_text[place - 1]) && rest.Length > 0 && IsQuote(rest[0]) && !rest[1..].TrimStart().StartsWith(':'))
            {
                return place;
            }
        }

        return -1;
    }

    private static bool IsQuote(char letter) => letter is '"' or '\'' or '`';

    /// <summary>A name that can be logged and sent to clients; null for anything else, such as a sentence or a key.</summary>
    private static string? Token(string? text) =>
        text is { Length: > 0 and <= MaxTokenLength } && Identifier().IsMatch(text) && !text.StartsWith("sk-", StringComparison.OrdinalIgnoreCase) ? text : null;

    private static bool Is(string? token, params string[] values) => token is not null && values.Contains(token, StringComparer.OrdinalIgnoreCase);

    private static bool Has(string words, string[] parts) => parts.Any(part => words.Contains(part, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex("^[A-Za-z0-9_.:-]+$")]
    private static partial Regex Identifier();
}
