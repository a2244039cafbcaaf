namespace OrleansSessions.Chaos.Checks;

/// <summary>How far a client is with the answer of a question.</summary>
internal sealed class AnswerProgress
{
    /// <summary>The index of the next delta.</summary>
    public long Next { get; set; }

    /// <summary>The answer so far.</summary>
    public string Text { get; set; } = "";

    public bool HasEnded { get; set; }

    public bool IsCancelling { get; set; }

    /// <summary>True after a snapshot that answers a repeated ask: events that it contains can still arrive.</summary>
    public bool IsToldAhead { get; set; }

    /// <summary>The parts of a snapshot that has not arrived as a whole.</summary>
    public List<string> Parts { get; } = [];

    public AnswerProgress Copy() => new() { Next = Next, Text = Text, HasEnded = HasEnded, IsCancelling = IsCancelling, IsToldAhead = IsToldAhead };
}

/// <summary>What a client knew at each position, so that a connection that resumes there can be checked from there on.</summary>
internal sealed class ViewMemory
{
    private readonly Dictionary<string, List<(long Seq, string QuestionId, AnswerProgress Progress)>> _epochs = [];

    public void Keep(string epoch, long seq, string questionId, AnswerProgress progress)
    {
        if (!_epochs.TryGetValue(epoch, out var kept))
        {
            _epochs[epoch] = kept = [];
        }

        kept.Add((seq, questionId, progress.Copy()));
    }

    /// <summary>The progress of each question at this position.</summary>
    public Dictionary<string, AnswerProgress> At(string epoch, long seq)
    {
        var found = new Dictionary<string, (long Seq, AnswerProgress Progress)>();
        foreach (var (at, id, progress) in _epochs.GetValueOrDefault(epoch, []).Where(kept => kept.Seq <= seq))
        {
            if (!found.TryGetValue(id, out var best) || at >= best.Seq)
            {
                found[id] = (at, progress);
            }
        }

        return found.ToDictionary(entry => entry.Key, entry => entry.Value.Progress.Copy());
    }
}
