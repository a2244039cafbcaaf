using System.Net;

namespace OrleansSessions.Client.Http;

/// <summary>Sends one upgrade, and reads why it was refused: a <see cref="System.Net.WebSockets.ClientWebSocket"/> keeps only the status.</summary>
internal sealed class UpgradeInvoker(HttpMessageInvoker inner) : HttpMessageInvoker(NoHandler.Instance, disposeHandler: false)
{
    /// <summary>Why the upgrade was refused, or null.</summary>
    public SessionRefusedException? Refusal { get; private set; }

    /// <summary>The status of the answer, or null if there was none.</summary>
    public HttpStatusCode? Status { get; private set; }

    public override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // An HttpClient would otherwise wait for the end of the connection, as if it were a body.
        var response = inner is HttpClient client
            ? await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false)
            : await inner.SendAsync(request, cancellationToken).ConfigureAwait(false);
        Status = response.StatusCode;
        if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
        {
            Refusal = await Problems.ReadAsync(response, cancellationToken).ConfigureAwait(false);
        }

        return response;
    }

    private sealed class NoHandler : HttpMessageHandler
    {
        public static NoHandler Instance { get; } = new();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new NotSupportedException("Everything is sent with the caller's invoker.");
    }
}
