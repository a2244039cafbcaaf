namespace OrleansSessions.Tests.Storage;

/// <summary>A state that is stored.</summary>
[GenerateSerializer]
[Alias("OrleansSessions.Tests.Storage.StoredThing")]
public sealed class StoredThing
{
    [Id(0)]
    public string Text { get; set; } = "new";
}
