using System.Net.Http.Headers;
using System.Net.WebSockets;
using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Servers;

/// <summary>The server that is tried: its addresses, and who answers its questions.</summary>
internal sealed class ServerTarget(Uri address, ConformanceOptions options) : IDisposable
{
    private const string External = "external";

    private readonly Uri _base = new(address.AbsoluteUri.TrimEnd('/'));

    public Uri Address { get; } = address;

    public HttpClient Http { get; } = new() { Timeout = TimeSpan.FromSeconds(30) };

    public ConformanceOptions Options { get; } = options;

    public Patience Patience { get; } = new(options.Patience);

    /// <summary>The name of the responder, from <c>hello</c>.</summary>
    public string Responder { get; private set; } = "";

    /// <summary>True if the tool answers the questions itself.</summary>
    public bool IsExternal => Responder == External;

    public string Origin => _base.GetLeftPart(UriPartial.Authority);

    /// <summary>Opens a socket once, to learn the responder.</summary>
    /// <exception cref="CaseFailedException">There is no such server.</exception>
    public async Task ProbeAsync()
    {
        await using var scene = new ServerScene(this);
        try
        {
            // Whether the frame is a valid 'hello' is for the cases to say.
            var socket = await scene.DialAsync("", [WireSocket.V1]);
            Responder = (await socket.NextAsync()).Text("responder") ?? "";
        }
        catch (Exception fault) when (fault is WebSocketException or UpgradeRefusedException)
        {
            throw new CaseFailedException($"a v1 socket at {Socket("SESSION", "")}", fault.Message);
        }
    }

    public Uri Socket(string session, string query) => new UriBuilder(_base)
    {
        Scheme = _base.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs,
        Path = $"{_base.AbsolutePath.TrimEnd('/')}/ws/{session}",
        Query = query,
    }.Uri;

    /// <param name="path">The address below <c>/v1/sessions</c>, with its query.</param>
    public HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, new Uri($"{_base.AbsoluteUri.TrimEnd('/')}/v1/sessions{path}"));
        if (Options.Token is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return request;
    }

    public void Dispose() => Http.Dispose();
}
