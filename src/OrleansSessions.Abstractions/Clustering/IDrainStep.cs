namespace OrleansSessions.Clustering;

/// <summary>A part of this process that leaves in order. All steps run at the same time.</summary>
internal interface IDrainStep
{
    /// <summary>Completes when nothing of this part is left. It never throws.</summary>
    /// <param name="ending">Cancelled when what is left must leave at once.</param>
    Task DrainAsync(CancellationToken ending);
}
