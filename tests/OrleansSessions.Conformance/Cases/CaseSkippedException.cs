namespace OrleansSessions.Conformance.Cases;

/// <summary>The case cannot be tried here; the message says why.</summary>
internal sealed class CaseSkippedException(string message) : Exception(message);
