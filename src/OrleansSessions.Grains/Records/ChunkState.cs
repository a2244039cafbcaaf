namespace OrleansSessions.Grains.Records;

/// <summary>A part of an answer, stored while the answer grows. The last one is written again until it is full.</summary>
[GenerateSerializer, Alias("OrleansSessions.ChunkState")]
internal sealed class ChunkState
{
    /// <summary>The question whose answer it is.</summary>
    [Id(0)]
    public string QuestionId { get; set; } = "";

    /// <summary>Whole deltas, joined.</summary>
    [Id(1)]
    public string Text { get; set; } = "";

    /// <summary>Their lengths, as <see cref="DeltaLengths"/> writes them.</summary>
    [Id(2)]
    public byte[] Deltas { get; set; } = [];

    /// <summary>When the first text of the answer came.</summary>
    [Id(3)]
    public DateTimeOffset? FirstDeltaAt { get; set; }

    /// <summary>Which attempt at the question it belongs to.</summary>
    [Id(4)]
    public int Attempt { get; set; }

    /// <summary>
    /// Where its text begins in the answer, in UTF-16 units. The chunk before it may hold more, if the process that wrote that one was lost meanwhile.
    /// </summary>
    [Id(5)]
    public int Start { get; set; }
}
