using System.Text.Encodings.Web;
using System.Text.Json;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Profiles;

/// <summary>Creates the final frames of the basic profile. None is larger than common client libraries accept.</summary>
internal static class BasicFrames
{
    // The other fields of the frame, without the code and the message: names, an id of 64 characters, a status, a number.
    private const int Overhead = 256;
    private const int MaxMessageChars = 256;
    private const int MaxCodeChars = 64;

    // The maximum growth of one UTF-8 byte: a control character becomes six.
    private const int WorstGrowth = 6;

    public static ServerMessage Of(string questionId, QuestionEnd end, string text, int maxFrameBytes)
    {
        // A host's own responder can use any reason and any message.
        var code = end.Reason is { Length: <= MaxCodeChars } reason ? reason : end.Status.ToWire();
        var message = end.Message is { Length: > 0 and <= MaxMessageChars } given ? given : $"The question ended as {end.Status.ToWire()}.";
        var fitting = Cut(text, end.Bytes, maxFrameBytes - Overhead - JsonBytes(code) - JsonBytes(message));
        if (end.Status is QuestionStatus.Completed or QuestionStatus.Incomplete)
        {
            return fitting.Length == text.Length
                ? new BasicResponseMessage(questionId, end.Status, text, end.Reason is null ? null : code)
                : new BasicResponseMessage(questionId, QuestionStatus.Incomplete, fitting, DoneReasons.AnswerTooLarge);
        }

        return new BasicFailureMessage(questionId, end.Status, code, message, fitting) { RetryAfterMs = end.RetryAfterMs };
    }

    /// <summary>Returns the longest beginning whose JSON fits, cut between two Unicode scalars.</summary>
    private static string Cut(string text, long bytes, int maxBytes)
    {
        var length = text.Length;
        if (bytes * WorstGrowth <= maxBytes || JsonBytes(text) <= maxBytes)
        {
            return text;
        }

        // Each pass takes at least one character, and in nearly all cases there is only one pass.
        while (length > 0)
        {
            var size = JsonBytes(text.AsSpan(0, length));
            if (size <= maxBytes)
            {
                break;
            }

            length = Math.Min(length - 1, (int)(length * (double)maxBytes / size));
            if (length > 0 && char.IsHighSurrogate(text[length - 1]))
            {
                length--;
            }
        }

        return text[..length];
    }

    private static int JsonBytes(ReadOnlySpan<char> text) =>
        JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.Length;
}
