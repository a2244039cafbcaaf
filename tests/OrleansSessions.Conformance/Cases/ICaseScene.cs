namespace OrleansSessions.Conformance.Cases;

/// <summary>What one case has to itself: a session, and whoever is tried.</summary>
internal interface ICaseScene : IAsyncDisposable, ICaseLimits
{
    /// <summary>What whoever is tried did where the protocol leaves a choice, or null.</summary>
    string? Choice => null;

    /// <summary>Ends whoever is tried in good order, and makes sure that nothing more comes than may.</summary>
    Task FinishAsync() => Task.CompletedTask;
}
