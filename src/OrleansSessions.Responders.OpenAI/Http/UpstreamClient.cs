using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using OrleansSessions.Responders.OpenAI.Failures;
using OrleansSessions.Responders.OpenAI.Requests;

namespace OrleansSessions.Responders.OpenAI.Http;

/// <summary>Posts questions to the endpoint. The platform's defaults suit requests that end by themselves, not answers that people watch and cancel.</summary>
internal sealed partial class UpstreamClient : IDisposable
{
    private const int MaxRedirects = 5;

    /// <summary>
    /// Common servers close a connection that was idle for 5 s (Node.js, Uvicorn). The pool looks each second, so none is used after 4 s.
    /// </summary>
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(3);

    /// <summary>
    /// A connection that the server closed while idle fails at once. One that fails later was closed while the server worked on the question: it is not asked
    /// a second time. A second leaves room for a round trip to a distant server.
    /// </summary>
    private static readonly TimeSpan StaleWithin = TimeSpan.FromSeconds(1);

    /// <summary>How long the end of a finished body may take to arrive, so that its connection can be used again. No one waits for it.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    private readonly Uri _address;
    private readonly bool _sendsContext;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HttpMessageInvoker _pooled;
    private readonly HttpMessageInvoker _fresh;
    private readonly CancellationTokenSource _stop = new();

    public UpstreamClient(OpenAIOptions options, TimeProvider time, ILogger logger)
    {
        _address = Endpoints.CompletionsOf(options.Endpoint);
        _sendsContext = ChatRequest.SendsContext(options);
        _time = time;
        _logger = logger;

        // Names are resolved only when a connection opens. A limited lifetime finds an upstream that has moved.
        _pooled = CreateClient(options, _sendsContext, lifetime: TimeSpan.FromMinutes(5));
        _fresh = CreateClient(options, _sendsContext, lifetime: TimeSpan.Zero);
    }

    /// <summary>The host of the endpoint.</summary>
    public string Host => _address.Authority;

    /// <summary>Sends a request and returns the response once its headers are there.</summary>
    /// <exception cref="ResponderException">There is no response, or it is a redirect that is not followed.</exception>
    public async Task<HttpResponseMessage> SendAsync(ChatRequest request, UpstreamFailures failures, CancellationToken cancellationToken)
    {
        var address = _address;
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendAsync(request, address, failures, cancellationToken);
            if (!IsRedirect(response.StatusCode))
            {
                return response;
            }

            using (response)
            {
                failures.Response = response;
                var target = response.Headers.Location is { } location && Uri.TryCreate(address, location, out var absolute) ? absolute : null;
                if (target is null || redirects == MaxRedirects || !Endpoints.IsSameServer(address, target))
                {
                    throw failures.Redirected(target);
                }

                address = target;
            }
        }
    }

    /// <summary>Ends a response. Its connection is used again if the answer was read and the body ends as well; otherwise it is closed at once.</summary>
    public void Release(HttpResponseMessage response, bool isFinished)
    {
        if (isFinished)
        {
            _ = ReadEndAsync(response);
        }
        else
        {
            response.Dispose();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        _pooled.Dispose();
        _fresh.Dispose();
    }

    private async Task<HttpResponseMessage> SendAsync(ChatRequest request, Uri address, UpstreamFailures failures, CancellationToken cancellationToken)
    {
        using var message = request.ToMessage(address, _sendsContext);
        var startedAt = _time.GetTimestamp();
        var attempt = WatchedStream.Attempt.Begin();
        try
        {
            return await _pooled.SendAsync(message, cancellationToken);
        }
        catch (HttpRequestException) when (attempt is { IsOnUsedConnection: true, HasResponse: false } && _time.GetElapsedTime(startedAt) < StaleWithin
            && !cancellationToken.IsCancellationRequested)
        {
            LogMessages.SentAgain(_logger, Host);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw failures.Unreachable(fault);
        }

        try
        {
            using var again = request.ToMessage(address, _sendsContext);
            return await _fresh.SendAsync(again, cancellationToken);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw failures.Unreachable(fault);
        }
    }

    private async Task ReadEndAsync(HttpResponseMessage response)
    {
        using (response)
        {
            using var timeout = new CancellationTokenSource(EndTimeout, _time);
            try
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stop.Token);
                var body = await response.Content.ReadAsStreamAsync(either.Token);
                await body.CopyToAsync(Stream.Null, either.Token);
            }
            catch (Exception)
            {
                // The connection is closed then, and the next question opens another one.
            }
        }
    }

    private static bool IsRedirect(HttpStatusCode status) =>
        status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect
            or HttpStatusCode.PermanentRedirect;

    private static HttpMessageInvoker CreateClient(OpenAIOptions options, bool sendsContext, TimeSpan lifetime) => new(new SocketsHttpHandler
    {
        // By default an abandoned response is read for two more seconds to reuse its connection, while the upstream continues to compute.
        MaxResponseDrainSize = 0,
        ConnectTimeout = options.ConnectTimeout,
        PooledConnectionIdleTimeout = IdleTimeout,
        PooledConnectionLifetime = lifetime,
        PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new WatchedStream(context.PlaintextStream)),

        // By default a client with tracing adds a trace of its own.
        ActivityHeadersPropagator = sendsContext ? DistributedContextPropagator.Current : null,

        // A redirected POST would become a GET, without its key.
        AllowAutoRedirect = false,
        UseCookies = false,
    });

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "The upstream {Upstream} had closed an idle connection; the question is sent again on a new one")]
        public static partial void SentAgain(ILogger logger, string upstream);
    }
}
