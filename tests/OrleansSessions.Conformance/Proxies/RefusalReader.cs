using System.Net;

namespace OrleansSessions.Conformance.Proxies;

/// <summary>Sends the request for a socket, and keeps the answer if that is not a socket, which a client socket would drop.</summary>
internal sealed class RefusalReader() : DelegatingHandler(new SocketsHttpHandler())
{
    /// <summary>The refusal, or null.</summary>
    public HttpResponseMessage? Response { get; private set; }

    public string Body { get; private set; } = "";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
        {
            Body = await response.Content.ReadAsStringAsync(cancellationToken);
            Response = response;
        }

        return response;
    }
}
