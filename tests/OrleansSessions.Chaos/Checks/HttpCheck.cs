using System.Globalization;
using System.Text.Json;
using OrleansSessions.Chaos.Transcripts;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Checks;

/// <summary>Reads the HTTP requests of a transcript: what was accepted, cancelled and ended according to their responses.</summary>
internal static class HttpCheck
{
    private const int Ok = 200;
    private const int Accepted = 202;
    private const int FirstError = 400;
    private static readonly string[] Explained = ["question_not_found", "no_open_question", "session_not_found"];

    /// <param name="own">Gets the questions that this client asked with success.</param>
    /// <returns>The questions whose end a response told.</returns>
    public static HashSet<string> Run(Transcript transcript, Sightings seen, HashSet<string> own)
    {
        var ended = new HashSet<string>();
        var requests = new Dictionary<int, string>();
        foreach (var entry in transcript.Entries)
        {
            if (entry.Kind == EntryKind.Requested)
            {
                requests[entry.Link] = entry.Text;
            }
            else if (entry.Kind == EntryKind.Replied)
            {
                var space = entry.Text.IndexOf(' ', StringComparison.Ordinal);
                var (status, body) = (int.Parse(entry.Text.AsSpan(0, space), CultureInfo.InvariantCulture), entry.Text[(space + 1)..]);
                if (body.StartsWith('{'))
                {
                    Reply(transcript, requests[entry.Link], status, JsonSerializer.Deserialize<JsonElement>(body), (seen, own, ended));
                }
            }
        }

        return ended;
    }

    private static void Reply(
        Transcript transcript, string request, int status, JsonElement body, (Sightings Seen, HashSet<string> Own, HashSet<string> Ended) sink)
    {
        var id = body.Text("question_id");
        if (status >= FirstError)
        {
            if (!body.Flag("retryable") && !Explained.Contains(body.Text("code")))
            {
                sink.Seen.Report(FindingKind.Wrong, $"{transcript.Client}: {request} was refused: {status} {body.GetRawText()}");
            }
        }
        else if (status == Accepted && id is not null)
        {
            if (request.Contains("/cancel", StringComparison.Ordinal))
            {
                sink.Seen.AddCancelled(id);
            }
            else
            {
                // A repeated id gets 200, so each question gets one 202 with one place in the log.
                sink.Own.Add(id);
                sink.Seen.AddAccepted(id);
                sink.Seen.AddEvent(transcript.Client, body.Text("epoch")!, body.Number("seq") ?? 0, new("accepted", id, body.Number("position") ?? 0));
            }
        }
        else if (status == Ok && id is not null && body.Text("status") is { } end)
        {
            sink.Ended.Add(id);
            sink.Seen.AddEnd(transcript.Client, id, new(end, body.Text("reason"), body.Number("bytes"), body.Text("text")));
        }
    }
}
