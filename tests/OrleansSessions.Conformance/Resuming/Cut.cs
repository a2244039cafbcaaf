namespace OrleansSessions.Conformance.Resuming;

/// <summary>The end of one connection, by plan.</summary>
/// <param name="AfterFrames">The connection ends at the frame of the server with this number, <c>hello</c> being the first.</param>
/// <param name="Lost">So many of the last frames do not reach the client.</param>
/// <param name="CloseCode">The code of a clean close, or null for a reset.</param>
internal sealed record Cut(int AfterFrames, int Lost = 0, int? CloseCode = null);
