namespace OrleansSessions.Chaos.Checks;

/// <summary>An event of the log, as someone saw it.</summary>
/// <param name="Index">The index of a delta, or the position of a question in the queue.</param>
internal sealed record SeenEvent(string Type, string QuestionId, long Index);

/// <summary>What all clients of one session saw together. No two of them may have seen different things.</summary>
internal sealed class Sightings(RoundRecord round)
{
    private readonly Dictionary<string, SortedDictionary<long, SeenEvent>> _epochs = [];
    private readonly Dictionary<(string Type, string QuestionId), (string Epoch, long Seq)> _once = [];
    private readonly Dictionary<string, QuestionOutcome> _ends = [];
    private readonly HashSet<string> _accepted = [];
    private readonly HashSet<string> _cancelled = [];
    private readonly List<Finding> _findings = [];

    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>The questions that someone was told are accepted.</summary>
    public IReadOnlyCollection<string> Accepted => _accepted;

    public IReadOnlyDictionary<string, QuestionOutcome> Ends => _ends;

    public void Report(FindingKind kind, string detail) => _findings.Add(new(kind, round.Session, detail));

    /// <summary>Someone was told that the question is accepted, in whatever way.</summary>
    public void AddAccepted(string questionId) => _accepted.Add(questionId);

    /// <summary>Someone was told that the question is being cancelled before it had ended.</summary>
    public void AddCancelled(string questionId) => _cancelled.Add(questionId);

    /// <summary>Someone received this event in its place in the log.</summary>
    public void AddEvent(string client, string epoch, long seq, SeenEvent seen)
    {
        if (!_epochs.TryGetValue(epoch, out var events))
        {
            _epochs[epoch] = events = [];
        }

        if (!events.TryAdd(seq, seen) && events[seq] != seen)
        {
            Report(FindingKind.Wrong, $"Event {seq} of epoch {epoch} is {seen} for {client}, and {events[seq]} for another.");
        }

        if (seen.Type is "accepted" or "done")
        {
            var key = (seen.Type, seen.QuestionId);
            if (!_once.TryAdd(key, (epoch, seq)) && _once[key] != (epoch, seq))
            {
                Report(FindingKind.Duplicated, $"{seen.QuestionId} has two '{seen.Type}': {_once[key]}, and ({epoch}, {seq}) for {client}.");
            }
        }
    }

    /// <summary>Someone learned how the question ended.</summary>
    public void AddEnd(string client, string questionId, QuestionOutcome end)
    {
        if (!_ends.TryAdd(questionId, end))
        {
            var known = _ends[questionId];
            if ((known.Status, known.Reason) != (end.Status, end.Reason)
                || (known.Bytes is not null && end.Bytes is not null && known.Bytes != end.Bytes)
                || (known.Text is not null && end.Text is not null && known.Text != end.Text))
            {
                Report(FindingKind.Wrong, $"{questionId} ended as {known}, and for {client} as {end}.");
            }
        }
    }

    /// <summary>What holds for each question and for all events, after everything was seen.</summary>
    public void CheckTogether()
    {
        foreach (var (epoch, events) in _epochs)
        {
            CheckOneRuns(epoch, events);
        }

        foreach (var (id, end) in _ends)
        {
            if (round.Question(id) is { } question)
            {
                CheckEnd(question, id, end);
            }
        }
    }

    /// <summary>Checks an end against the question.</summary>
    public void CheckEnd(ExpectedQuestion question, string id, QuestionOutcome end)
    {
        var isAllowed = (end.Status, end.Reason) switch
        {
            ("completed", null) => !_cancelled.Contains(id),
            ("cancelled", "by_client") => question.MayBeCancelled,
            ("cancelled", "replaced") => question.MayBeReplaced,
            // The documented end of a question whose process was lost too often without progress.
            ("failed", "responder_lost") => true,
            _ => false,
        };
        if (!isAllowed)
        {
            Report(FindingKind.Wrong, $"{id} ended as {end}{(_cancelled.Contains(id) ? ", after its cancel was confirmed" : "")}.");
        }

        if (end.Text is { } text && (end.Status == "completed" ? text != question.Text : !question.Text.StartsWith(text, StringComparison.Ordinal)))
        {
            Report(FindingKind.Wrong, $"The answer of {id} ({end}) is not the expected text: '{Tail(text)}'.");
        }
    }

    /// <summary>One question runs at a time: from the first event of its answer to its <c>done</c>, no other one has text.</summary>
    private void CheckOneRuns(string epoch, SortedDictionary<long, SeenEvent> events)
    {
        // The open questions, the running one first. Null stands for one that nobody saw begin.
        var open = new List<string?>();
        var last = 0L;
        foreach (var (seq, seen) in events)
        {
            if (seq != last + 1)
            {
                // Nobody saw what is between, so nothing is known about what is open.
                open.Clear();
            }

            last = seq;
            switch (seen.Type)
            {
                case "accepted":
                    if (seen.Index == 0 && open.Count > 0)
                    {
                        Report(FindingKind.Wrong, $"{seen.QuestionId} runs from event {seq} of epoch {epoch} on, while {open[0]} has not ended.");
                    }

                    open.AddRange(Enumerable.Repeat<string?>(null, Math.Max(0, (int)seen.Index - open.Count)));
                    open.Add(seen.QuestionId);
                    break;
                case "delta":
                    if (open.Count > 0 && open[0] is { } running && running != seen.QuestionId)
                    {
                        Report(FindingKind.Wrong, $"Event {seq} of epoch {epoch} is text of {seen.QuestionId}, while {running} runs.");
                        open.Clear();
                    }

                    if (open.Count == 0)
                    {
                        open.Add(null);
                    }

                    open[0] = seen.QuestionId;
                    break;
                case "done":
                    if (!open.Remove(seen.QuestionId))
                    {
                        open.Remove(null);
                    }

                    break;
            }
        }
    }

    private static string Tail(string text) => text.Length <= 80 ? text : "..." + text[^80..];
}
