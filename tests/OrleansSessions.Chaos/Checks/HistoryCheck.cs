using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Checks;

/// <summary>Checks what is stored at the end: every accepted question once, ended, with the text and the end that its clients got.</summary>
internal static class HistoryCheck
{
    public static void Run(RoundRecord round, Sightings seen)
    {
        if (round.History is not { } history)
        {
            seen.Report(FindingKind.Stuck, "The stored questions could not be read.");
            return;
        }

        var texts = new HashSet<string>();
        var ids = new HashSet<string>();
        foreach (var stored in history.GetProperty("questions").EnumerateArray())
        {
            var (id, text) = (stored.Text("question_id") ?? "", stored.Text("question") ?? "");
            if (!texts.Add(text) || !ids.Add(id))
            {
                seen.Report(FindingKind.Duplicated, $"{id} is stored twice: it ran twice.");
            }

            if (round.Questions.FirstOrDefault(question => question.Text == text) is not { } question || (question.Id is not null && question.Id != id))
            {
                seen.Report(FindingKind.Wrong, $"{id} is stored, and was not asked.");
                continue;
            }

            if (stored.Text("status") is not { } status)
            {
                seen.Report(FindingKind.Stuck, $"{id} is still {stored.Text("state")}.");
                continue;
            }

            var end = new QuestionOutcome(status, stored.Text("reason"), stored.Number("bytes"), stored.Text("text") ?? "");
            if (question.Id is null)
            {
                // No one knows this id before, so the ends that were seen are not checked against the question.
                seen.CheckEnd(question, id, end);
            }

            seen.AddEnd("the store", id, end);
        }

        foreach (var id in seen.Accepted.Where(id => !ids.Contains(id)))
        {
            seen.Report(FindingKind.Missing, $"{id} was accepted, and is not stored.");
        }
    }
}
