using System.Text;
using System.Text.Json;
using OrleansSessions.Chaos.Transcripts;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Checks;

/// <summary>Checks the transcript of a basic client: one whole frame for each question on each socket, and nothing unasked.</summary>
internal static class BasicCheck
{
    private static readonly string[] Closes = ["1000", "1001", "1011", "1012", "4001", "4002"];

    public static void Run(Transcript transcript, RoundRecord round, Sightings seen)
    {
        // What each socket was asked and has not answered yet, and the questions that it has answered.
        var asked = new Dictionary<int, List<ExpectedQuestion>>();
        var answered = new HashSet<(int Link, string Text)>();
        foreach (var entry in transcript.Entries)
        {
            switch (entry.Kind)
            {
                case EntryKind.Opened:
                    asked[entry.Link] = [];
                    break;
                case EntryKind.Sent when entry.Text.StartsWith('{'):
                    var text = JsonSerializer.Deserialize<JsonElement>(entry.Text).Text("question");
                    asked[entry.Link].Add(round.Questions.First(question => question.Text == text));
                    break;
                case EntryKind.Received:
                    Receive(transcript, JsonSerializer.Deserialize<JsonElement>(entry.Text), (entry.Link, asked[entry.Link], answered), round, seen);
                    break;
                case EntryKind.Closed when char.IsAsciiDigit(entry.Text[0]) && !Closes.Contains(entry.Text.Split(' ')[0]):
                    seen.Report(FindingKind.Wrong, $"{transcript.Client} was closed with {entry.Text}.");
                    break;
                default:
                    break;
            }
        }

        HttpCheck.Run(transcript, seen, []);
    }

    private static void Receive(
        Transcript transcript, JsonElement frame, (int Link, List<ExpectedQuestion> Asked, HashSet<(int Link, string Text)> Answered) socket,
        RoundRecord round, Sightings seen)
    {
        var id = frame.Text("question_id");
        if (id is null && frame.Type() == "error" && frame.Flag("retryable"))
        {
            // It is about the connection, which ends.
            return;
        }

        // A question without an id gets one from the server.
        var question = round.Question(id) ?? socket.Asked.FirstOrDefault(asked => asked.Id is null);
        if (question is null || !socket.Asked.Contains(question))
        {
            var kind = question is not null && socket.Answered.Contains((socket.Link, question.Text)) ? FindingKind.Duplicated : FindingKind.Wrong;
            seen.Report(kind, $"{transcript.Client} got a frame that answers nothing: {frame.GetRawText()}");
            return;
        }

        socket.Asked.Remove(question);
        if (frame.Text("status") is not { } status)
        {
            if (frame.Type() != "error" || !frame.Flag("retryable"))
            {
                seen.Report(FindingKind.Wrong, $"{transcript.Client} got a refusal that nothing here explains: {frame.GetRawText()}");
            }

            return;
        }

        socket.Answered.Add((socket.Link, question.Text));
        var data = frame.Text("data") ?? "";
        if (frame.Type() != (status is "completed" or "incomplete" ? "response" : "error"))
        {
            seen.Report(FindingKind.Wrong, $"{transcript.Client} got the wrong type of frame: {frame.GetRawText()}");
        }

        seen.AddAccepted(id ?? "");
        var end = new QuestionOutcome(status, frame.Text("code"), Encoding.UTF8.GetByteCount(data), data);
        if (question.Id is null)
        {
            seen.CheckEnd(question, id ?? "", end);
        }

        seen.AddEnd(transcript.Client, id ?? "", end);
    }
}
