namespace OrleansSessions.Benchmarks.Failover;

/// <summary>How the answer of a question ended, as its client saw it.</summary>
internal enum AnswerEnd
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>The whole text arrived, and exactly one end.</summary>
    Whole,

    /// <summary>It ended once, with a reason, and what arrived is the beginning of the right text.</summary>
    Lost,

    /// <summary>The text was wrong, numbers had a hole, or it ended twice.</summary>
    Wrong,
}
