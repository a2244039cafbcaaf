namespace OrleansSessions.Tests.Responders.ChatClients;

/// <summary>An exception with the shape of those of <c>System.ClientModel</c> and <c>Azure.Core</c>: a status, and the response with its headers.</summary>
internal sealed class StatusException(int status, params (string Name, string Value)[] headers) : Exception("secret")
{
    public int Status => status;

    public RawResponse GetRawResponse() => new(new(headers.ToDictionary(header => header.Name, header => header.Value)));

    internal sealed record RawResponse(ResponseHeaders Headers);

    internal sealed class ResponseHeaders(Dictionary<string, string> values)
    {
        public bool TryGetValue(string name, out string? value) => values.TryGetValue(name, out value);
    }
}
