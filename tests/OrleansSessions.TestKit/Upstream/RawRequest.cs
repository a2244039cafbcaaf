namespace OrleansSessions.TestKit.Upstream;

/// <summary>A request as it was read from a connection.</summary>
internal sealed record RawRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body);
