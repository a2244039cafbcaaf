using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.Conformance.Proxies;

/// <summary>Stands between a client and servers, and does with each frame what its plan says.</summary>
internal sealed class FrameProxy : IAsyncDisposable
{
    private static readonly string[] PassedHeaders = ["Authorization", "Accept", "Last-Event-ID", "Idempotency-Key", "Prefer", "Origin"];

    private readonly WebApplication _app;
    private readonly IProxyPlan _plan;
    private readonly HttpClient _http = new();
    private int _connections;

    private FrameProxy(WebApplication app, IProxyPlan plan) => (_app, _plan) = (app, plan);

    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    public static async Task<FrameProxy> StartAsync(IProxyPlan plan)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        var app = builder.Build();
        var proxy = new FrameProxy(app, plan);
        app.UseWebSockets(new() { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        app.Run(proxy.OnRequestAsync);
        await app.StartAsync();
        proxy.Address = new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task OnRequestAsync(HttpContext context)
    {
        var address = new Uri($"{_plan.ChooseServer().AbsoluteUri.TrimEnd('/')}{context.Request.Path}{context.Request.QueryString}");
        try
        {
            await (context.WebSockets.IsWebSocketRequest ? PassSocketAsync(context, address) : PassRequestAsync(context, address));
        }
        catch (Exception fault) when (fault is HttpRequestException or WebSocketException or IOException or OperationCanceledException)
        {
            // To the client, a server that is gone is a connection that breaks.
            context.Abort();
        }
    }

    private async Task PassSocketAsync(HttpContext context, Uri address)
    {
        using var server = new ClientWebSocket();
        server.Options.KeepAliveInterval = Timeout.InfiniteTimeSpan;
        foreach (var protocol in context.WebSockets.WebSocketRequestedProtocols)
        {
            server.Options.AddSubProtocol(protocol);
        }

        foreach (var name in PassedHeaders.Where(context.Request.Headers.ContainsKey))
        {
            server.Options.SetRequestHeader(name, context.Request.Headers[name]);
        }

        var refusal = new RefusalReader();
        using var upgrading = new HttpMessageInvoker(refusal);
        try
        {
            var scheme = address.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs;
            await server.ConnectAsync(new UriBuilder(address) { Scheme = scheme }.Uri, upgrading, context.RequestAborted);
        }
        catch (WebSocketException) when (refusal.Response is not null)
        {
            PassHead(context, refusal.Response);
            await context.Response.WriteAsync(refusal.Body, context.RequestAborted);
            return;
        }

        using var client = await context.WebSockets.AcceptWebSocketAsync(server.SubProtocol);
        await new ProxiedSocket(context, client, server, _plan, NextNumber()).RunAsync();
    }

    private async Task PassRequestAsync(HttpContext context, Uri address)
    {
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), address);
        foreach (var name in PassedHeaders.Where(context.Request.Headers.ContainsKey))
        {
            request.Headers.TryAddWithoutValidation(name, (string?)context.Request.Headers[name]);
        }

        var fate = QuestionFate.Arrives;
        if (context.Request.ContentType is { } type)
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync(context.RequestAborted);
            request.Content = new StringContent(body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            fate = _plan.OnRequest($"{context.Request.Method} {context.Request.Path}", body);
        }

        if (fate == QuestionFate.IsLost)
        {
            context.Abort();
            return;
        }

        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        if (fate == QuestionFate.ArrivesUnanswered)
        {
            context.Abort();
            return;
        }

        PassHead(context, response);
        await PassBodyAsync(context, response);
    }

    private static void PassHead(HttpContext context, HttpResponseMessage response)
    {
        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Where(header => header.Key is "Location" or "Retry-After" or "Allow"))
        {
            context.Response.Headers[name] = values.ToArray();
        }
    }

    private async Task PassBodyAsync(HttpContext context, HttpResponseMessage response)
    {
        if (response.StatusCode is HttpStatusCode.NoContent)
        {
            return;
        }

        await using var body = await response.Content.ReadAsStreamAsync(context.RequestAborted);
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            await new ProxiedStream(context, body, _plan, NextNumber()).RunAsync();
            return;
        }

        using var reader = new StreamReader(body);
        var text = await reader.ReadToEndAsync(context.RequestAborted);
        await context.Response.WriteAsync(_plan.OnReply($"{context.Request.Method} {context.Request.Path}", text), context.RequestAborted);
    }

    private int NextNumber() => Interlocked.Increment(ref _connections) - 1;
}
