using System.Text.RegularExpressions;

namespace OrleansSessions.Responders.OpenAI.Failures;

/// <summary>
/// Keeps keys and the question out of messages and logs. An upstream that repeats them does so where a name is expected: as a code, in a content type, as
/// the host of a redirect.
/// </summary>
internal sealed partial class PrivateWords(OpenAIOptions options, string question)
{
    /// <summary>Shorter values of headers are no secrets, and would be found in many names.</summary>
    private const int MinSecretLength = 8;

    private static readonly string[] CommonTypes =
    [
        "text/event-stream", "application/json", "application/problem+json", "application/x-ndjson", "application/octet-stream", "application/xml", "text/html",
        "text/plain",
    ];

    /// <summary>The keys. A header can have a scheme before its secret.</summary>
    private IEnumerable<string> Secrets =>
        options.Headers.Values.Append(options.ApiKey).SelectMany(value => value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The name, or null if it is a part of a key or of the question, or contains one.</summary>
    public string? Hide(string? name) =>
        name is null || Secrets.Any(secret => Repeats(secret, name)) || Repeats(question, name) ? null : name;

    /// <summary>The media type, or null if it does not look like one or repeats private words.</summary>
    public string? MediaType(string type)
    {
        var isCommon = CommonTypes.Contains(type, StringComparer.OrdinalIgnoreCase);
        return isCommon || (ShortType().IsMatch(type) && type.Split('/').All(part => Hide(part) is not null)) ? type : null;
    }

    private static bool Repeats(string words, string name) =>
        words.Contains(name, StringComparison.OrdinalIgnoreCase)
        || (words.Length >= MinSecretLength && name.Contains(words, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex("^[a-zA-Z]{1,20}/[a-zA-Z0-9.+_-]{1,64}$")]
    private static partial Regex ShortType();
}
