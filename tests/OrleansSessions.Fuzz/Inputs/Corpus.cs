using System.Text;
using OrleansSessions.TestKit.Documents;

namespace OrleansSessions.Fuzz.Inputs;

/// <summary>What the inputs are made of: the examples of docs/protocol.md, and bytes at which parsers have gone wrong.</summary>
internal static class Corpus
{
    /// <summary>What clients send, in both profiles and over HTTP, valid and not.</summary>
    public static IReadOnlyList<byte[]> Messages { get; } = Examples("client", "basic-client", "refused-client", "http-request", "http-lines");

    /// <summary>Every example, also of what only a server sends.</summary>
    public static IReadOnlyList<byte[]> Everything { get; } = Examples([.. ProtocolDocument.Tags()]);

    public static IReadOnlyList<string> FieldNames { get; } =
    [
        "type", "id", "question", "content", "question_id", "if_busy", "epoch", "after_seq", "metadata", "options", "attempt", "offset", "text",
        "final",
        "error", "response", "code", "message", "unknown", "",
    ];

    /// <summary>Values that mean something in a field, and values at the limits of one.</summary>
    public static IReadOnlyList<string> Values { get; } =
    [
        "null", "true", "false", "0", "-0", "-1", "1", "3", "10", "1.0", "1e3", "1E400", "9007199254740991", "9007199254740992",
        "9223372036854775807",
        "9223372036854775808", "2147483648", "{}", "[]", "{\"a\":1}", "{\"a\":{\"b\":[1,2]},\"a\":2}", "{ }", "[{\"a\":1,\"a\":2}]", "\"\"",
        "\"question\"", "\"cancel\"",
        "\"resume\"", "\"ping\"", "\"pong\"", "\"auth\"", "\"reject\"", "\"queue\"", "\"replace\"", "\"e19\"", "\"q-1\"", "\"q-2\"", "\".\"",
        "\"..\"", "\"a b\"",
        "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude00\"", "\"\\u0071-1\"", "\"\u00fc\ud83d\ude00\"",
        $"\"{new string('x', 70)}\"",
        $"\"{new string('y', 250)}\"", $"\"{new string('z', 1100)}\"", $"{new string('[', 40)}{new string(']', 40)}",
    ];

    /// <summary>Bytes to insert anywhere.</summary>
    public static IReadOnlyList<byte[]> Fragments { get; } =
    [
        "\""u8.ToArray(), "\\"u8.ToArray(), "{"u8.ToArray(), "}"u8.ToArray(), "["u8.ToArray(), "]"u8.ToArray(), ","u8.ToArray(), ":"u8.ToArray(),
        "null"u8.ToArray(),
        "\\u0000"u8.ToArray(), "\\ud800"u8.ToArray(), "\\udfff"u8.ToArray(), "\\u"u8.ToArray(), " "u8.ToArray(), "\t"u8.ToArray(),
        "\r\n"u8.ToArray(), "\n\n"u8.ToArray(),
        "//"u8.ToArray(), "/**/"u8.ToArray(), "NaN"u8.ToArray(), "'"u8.ToArray(), "%00"u8.ToArray(), "%2e%2e"u8.ToArray(), "%ff"u8.ToArray(),
        "&after="u8.ToArray(), "\0"u8.ToArray(),
        [0xEF, 0xBB, 0xBF], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC0, 0x80], [0xFF], [0x7F],
        Encoding.UTF8.GetBytes("\ud83d\ude00"),
        Encoding.ASCII.GetBytes(new string('[', 40)), Encoding.ASCII.GetBytes(new string('a', 300)),
    ];

    private static List<byte[]> Examples(params string[] tags) => [.. tags.SelectMany(ProtocolDocument.Examples).Select(Encoding.UTF8.GetBytes)];
}
