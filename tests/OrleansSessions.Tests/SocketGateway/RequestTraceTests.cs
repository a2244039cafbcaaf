using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>The trace of a request goes on to the responder.</summary>
public sealed class RequestTraceTests(GatewayFixture gateway) : IAsyncLifetime
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string TraceParent = $"00-{TraceId}-00f067aa0ba902b7-01";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly string _session = GatewayFixture.NewSession();

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    /// <summary>ASP.NET Core makes an activity for a request where something is logged, and none where nothing is.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnASocket_EachQuestion_BelongsToTheTraceOfTheUpgrade(bool isLogging)
    {
        using var log = new RecordedLog();
        await using var host = await StartAsync(isLogging ? log : null);
        await using var socket = await TestSocket.ConnectAsync(
            host.SocketAddress($"/ws/{_session}?v=1"), options => options.SetRequestHeader("traceparent", TraceParent));
        await socket.NextAsync("hello");
        foreach (var id in new[] { "q-1", "q-2" })
        {
            gateway.Cluster.Responder.For(_session + id).Finish();
            await socket.SendAsync($$"""{"id":"{{id}}","question":"{{_session}}{{id}}"}""");

            var context = await gateway.Cluster.Responder.For(_session + id).Started.WaitAsync(Patience);
            AssertTrace(context.TraceParent, isLogging);
            await socket.UntilAsync("done");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OverHttp_TheQuestion_BelongsToTheTraceOfTheRequest(bool isLogging)
    {
        using var log = new RecordedLog();
        await using var host = await StartAsync(isLogging ? log : null);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/{_session}/questions")
        {
            Content = new StringContent($$"""{"question":"{{_session}}"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("traceparent", TraceParent);
        using var reply = await host.Http.SendAsync(request, TestContext.Current.CancellationToken);

        var context = await gateway.Cluster.Responder.For(_session).Started.WaitAsync(Patience);
        AssertTrace(context.TraceParent, isLogging);
        Assert.Null(context.User);
    }

    [Theory]
    [InlineData(TraceParent, true)]
    [InlineData($"00-{TraceId}-00f067aa0ba902b7-00", true)]
    [InlineData("", false)]
    [InlineData("nonsense", false)]
    [InlineData($"00-{TraceId}-00f067aa0ba902b7", false)]
    [InlineData($"01-{TraceId}-00f067aa0ba902b7-01", false)]
    [InlineData($"ff-{TraceId}-00f067aa0ba902b7-01", false)]
    [InlineData($"{TraceParent}-more", false)]
    [InlineData($" {TraceParent}", false)]
    [InlineData($"00-{TraceId}-00f067aa0ba902b7-0g", false)]
    [InlineData($"00-{TraceId}-00f067aa0ba902b7-0\n", false)]
    [InlineData($"00_{TraceId}_00f067aa0ba902b7_01", false)]
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false)]
    [InlineData($"00-{TraceId}-0000000000000000-01", false)]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false)]
    public void AReceivedTrace_IsTaken_OnlyInItsExactForm(string header, bool isTaken)
    {
        Activity.Current = null;
        var context = new DefaultHttpContext();
        context.Request.Headers.TraceParent = header;

        var received = RequestTrace.Received(context.Request);

        Assert.Equal(isTaken ? header : null, received);
        Assert.Equal(received, RequestTrace.Current(received));
    }

    [Fact]
    public void TwoReceivedTraces_AreNone()
    {
        Activity.Current = null;
        var context = new DefaultHttpContext();
        context.Request.Headers.TraceParent = new([TraceParent, TraceParent]);
        Assert.Null(RequestTrace.Received(context.Request));
    }

    [Theory]
    [InlineData(ActivityIdFormat.W3C, true)]
    [InlineData(ActivityIdFormat.Hierarchical, false)]
    public void TheActivity_WinsOverTheReceivedTrace_IfItHasTheFormOfTheStandard(ActivityIdFormat format, bool isTaken)
    {
        using var activity = new Activity("request").SetIdFormat(format).Start();
        var context = new DefaultHttpContext();
        context.Request.Headers.TraceParent = TraceParent;

        var received = RequestTrace.Received(context.Request);

        Assert.Equal(isTaken ? null : TraceParent, received);
        Assert.Equal(isTaken ? activity.Id : TraceParent, RequestTrace.Current(received));
    }

    [Fact]
    public void WithoutATrace_NothingIsAllocated()
    {
        Activity.Current = null;
        var context = new DefaultHttpContext();
        Assert.Null(RequestTrace.Current(RequestTrace.Received(context.Request)));
        var before = GC.GetAllocatedBytesForCurrentThread();

        var caller = RequestTrace.Current(RequestTrace.Received(context.Request));

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Null(caller);
    }

    private static void AssertTrace(string? traceParent, bool isLogging)
    {
        Assert.True(ActivityContext.TryParse(traceParent, null, out var trace), traceParent);
        Assert.Equal(TraceId, trace.TraceId.ToString());
        if (isLogging)
        {
            // The server's own activity, and not what the client sent.
            Assert.NotEqual(TraceParent, traceParent);
        }
    }

    private Task<SocketHost> StartAsync(ILoggerProvider? log) => SocketHost.StartAsync(gateway.Cluster.Orleans.Client, configureHost: builder =>
    {
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }
    });
}
