using System.Globalization;
using System.Text.Json;
using OrleansSessions.Chaos.Transcripts;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Checks;

/// <summary>Checks the transcript of a v1 client or of an event stream: each connection, and that the asker learned every end.</summary>
internal static class FollowCheck
{
    private static readonly string[] Closes = ["1000", "1001", "1011", "1012", "4001", "4002", "4003", "4004"];
    private static readonly string[] WithId = ["hello", "accepted", "delta", "done", "resumed"];

    public static void Run(Transcript transcript, RoundRecord round, Sightings seen)
    {
        var memory = new ViewMemory();
        var links = new Dictionary<int, LinkCheck>();
        var own = new HashSet<string>();
        var before = seen.Findings.Count;
        foreach (var entry in transcript.Entries)
        {
            // What follows a finding would only repeat it.
            if (links.Values.Any(link => link.IsBroken))
            {
                break;
            }

            switch (entry.Kind)
            {
                case EntryKind.Opened:
                    links[entry.Link] = new(transcript.Client, round, seen, memory, PositionOf(transcript.Kind, entry.Text));
                    break;
                case EntryKind.Received:
                    Receive(transcript, entry, links[entry.Link], seen, own);
                    break;
                case EntryKind.Closed when transcript.Kind == ClientKind.V1:
                    CheckClose(transcript, entry, seen);
                    break;
                default:
                    break;
            }
        }

        var ended = HttpCheck.Run(transcript, seen, own);
        ended.UnionWith(links.Values.SelectMany(link => link.Ended));
        if (transcript.IsAsker && seen.Findings.Count == before)
        {
            foreach (var id in own.Where(id => !ended.Contains(id)))
            {
                seen.Report(FindingKind.Missing, $"{transcript.Client} never learned how its question {id} ended.");
            }
        }
    }

    private static void Receive(Transcript transcript, Entry entry, LinkCheck link, Sightings seen, HashSet<string> own)
    {
        var space = entry.Text.IndexOf(' ', StringComparison.Ordinal);
        var id = transcript.Kind == ClientKind.Stream && !entry.Text.StartsWith('{') ? entry.Text[..space] : null;
        var frame = JsonSerializer.Deserialize<JsonElement>(id is null ? entry.Text : entry.Text[(space + 1)..]);
        var hasMoved = link.OnFrame(frame);
        // A question of another socket comes with its text.
        if (frame.Type() == "accepted" && frame.Text("question") is null && transcript.Kind == ClientKind.V1)
        {
            own.Add(frame.Text("question_id")!);
        }

        if (transcript.Kind == ClientKind.Stream && !link.IsBroken && hasMoved && WithId.Contains(frame.Type()) && id != link.EventId)
        {
            seen.Report(FindingKind.Wrong, $"{transcript.Client}: the id of the event is '{id}', and the position {link.EventId}.");
        }
    }

    /// <summary>The position that a connection asked for: in the query of a socket, in the <c>Last-Event-ID</c> of a stream.</summary>
    private static (string? Epoch, long Position) PositionOf(ClientKind kind, string opened)
    {
        if (kind == ClientKind.Stream)
        {
            var dot = opened.LastIndexOf('.');
            return dot < 0 ? (null, 0) : (opened[..dot], long.Parse(opened[(dot + 1)..], CultureInfo.InvariantCulture));
        }

        var fields = opened[(opened.IndexOf('?', StringComparison.Ordinal) + 1)..].Split('&').Select(field => field.Split('='))
            .ToDictionary(field => field[0], field => field[1]);
        return fields.TryGetValue("epoch", out var epoch) ? (epoch, long.Parse(fields["after"], CultureInfo.InvariantCulture)) : (null, 0);
    }

    private static void CheckClose(Transcript transcript, Entry entry, Sightings seen)
    {
        if (char.IsAsciiDigit(entry.Text[0]) && !Closes.Contains(entry.Text.Split(' ')[0]))
        {
            seen.Report(FindingKind.Wrong, $"{transcript.Client} was closed with {entry.Text}.");
        }
    }
}
