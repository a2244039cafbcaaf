using System.Text.Json;
using OrleansSessions.Chaos.Checks;
using OrleansSessions.Chaos.Transcripts;

namespace OrleansSessions.Tests.ChaosRuns;

/// <summary>
/// Lines of transcripts, as short as a test can read them: <c>o</c> is a connection that opens, <c>x</c> one that ends, <c>&lt;</c> a frame that arrives,
/// <c>&gt;</c> one that is sent, <c>?</c> a request and <c>!</c> its response.
/// </summary>
internal static class Wire
{
    /// <summary>The text of the question <c>q1</c>, and of its answer.</summary>
    public const string Text = "one two three vier";

    public const string OtherText = "five six";

    public static string Hello(long seq, bool resuming = false, string open = "", string epoch = "e1") =>
        $$"""< {"type":"hello","epoch":"{{epoch}}","seq":{{seq}},"open":[{{open}}],"resuming":{{(resuming ? "true" : "false")}}}""";

    public static string Open(string id, string state) => $$"""{"question_id":"{{id}}","state":"{{state}}"}""";

    public static string Resumed(long to, bool recovered = true, string? reason = null, string open = "", string epoch = "e1") =>
        $$"""< {"type":"resumed","recovered":{{(recovered ? "true" : "false")}},"reason":{{JsonSerializer.Serialize(reason)}},"epoch":"{{epoch}}","to_seq":{{to}},"open":[{{open}}]}""";

    public static string Accepted(long seq, string id = "q1", int position = 0, bool duplicate = false) =>
        $$"""< {"type":"accepted","seq":{{seq}},"question_id":"{{id}}","duplicate":{{(duplicate ? "true" : "false")}},"position":{{position}}}""";

    public static string Delta(long seq, int index, string text, string id = "q1", int count = 1, bool replay = false)
    {
        var run = count == 1 ? "" : $",\"from_seq\":{seq - count + 1},\"count\":{count}";
        return $$"""< {"type":"delta","seq":{{seq}},"question_id":"{{id}}","index":{{index}}{{run}},"text":"{{text}}"{{(replay ? ",\"replay\":true" : "")}}}""";
    }

    public static string Done(
        long seq, int deltas, int bytes, string id = "q1", string status = "completed", string? reason = null, bool replay = false) =>
        $$"""< {"type":"done","seq":{{seq}},"question_id":"{{id}}","status":"{{status}}","reason":{{JsonSerializer.Serialize(reason)}},"deltas":{{deltas}},"bytes":{{bytes}}{{(replay ? ",\"replay\":true" : "")}}}""";

    public static string Snapshot(string text, int deltas, int bytes, string status = "answering", string id = "q1", int part = 1, int parts = 1) =>
        $$"""< {"type":"snapshot","question_id":"{{id}}","text":"{{text}}","part":{{part}},"parts":{{parts}},"deltas":{{deltas}},"bytes":{{bytes}},"status":"{{status}}","reason":null}""";

    public static Transcript Transcript(ClientKind kind, bool isAsker, params IEnumerable<string> lines)
    {
        var transcript = new Transcript(isAsker ? "asker" : "follower", kind, isAsker);
        var (link, request) = (0, 0);
        foreach (var line in lines)
        {
            var text = line[2..];
            switch (line[0])
            {
                case 'o': transcript.Add(default, ++link, EntryKind.Opened, text); break;
                case 'x': transcript.Add(default, link, EntryKind.Closed, text); break;
                case '<': transcript.Add(default, link, EntryKind.Received, text); break;
                case '>': transcript.Add(default, link, EntryKind.Sent, text); break;
                case '?': transcript.Add(default, --request, EntryKind.Requested, text); break;
                case '!': transcript.Add(default, request, EntryKind.Replied, text); break;
                default: throw new ArgumentException($"'{line}' is no line.", nameof(lines));
            }
        }

        return transcript;
    }

    /// <summary>A stored question that has ended.</summary>
    public static string Stored(string id, string question, string text, string status = "completed", string? reason = null) => JsonSerializer.Serialize(
        new { question_id = id, question, state = status, status, reason, text, bytes = System.Text.Encoding.UTF8.GetByteCount(text) });

    public static RoundRecord Round(IEnumerable<ExpectedQuestion> questions, IEnumerable<string>? stored, params IReadOnlyList<Transcript> transcripts) => new(
        "s", [.. questions], transcripts,
        stored is null ? null : JsonSerializer.Deserialize<JsonElement>($$"""{"questions":[{{string.Join(',', stored)}}]}"""));

    /// <summary>Checks, and returns the findings as text: the kind, then the detail.</summary>
    public static IReadOnlyList<string> Check(RoundRecord round) => [.. RoundCheck.Run(round).Findings.Select(finding => $"{finding.Kind}: {finding.Detail}")];
}
