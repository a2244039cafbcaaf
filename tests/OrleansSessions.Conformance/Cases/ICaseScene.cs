namespace OrleansSessions.Conformance.Cases;

/// <summary>What one case has to itself: a session, and whoever is tried.</summary>
internal interface ICaseScene : IAsyncDisposable, ICaseLimits;
