using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansSessions.Clustering;
using OrleansSessions.Grains;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Responders;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Clustering;

/// <summary>A host of one's own whose silo loses its row in the membership table.</summary>
public sealed class EvictionTests : IAsyncLifetime
{
    private readonly GatedStorage _store = new();
    private readonly ScriptedResponder _responder = new();
    private LosableMembershipTable _table = null!;
    private WebApplication _app = null!;

    private ClusterEviction Eviction => _app.Services.GetRequiredService<ClusterEviction>();

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["OrleansSessions:Responder:Name"] = "scripted" });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton(_responder);
        builder.Services.AddResponder<ScriptedResponder>("scripted");
        builder.Services.Configure<SessionsOptions>(options => options.CheckpointInterval = TimeSpan.Zero);
        builder.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, _store);
        builder.Host.UseOrleans(orleans =>
        {
            orleans.UseLocalhostClustering(FreePort.Take(), FreePort.Take()).AddSessionGrains();
            _table = LosableMembershipTable.Wrap(orleans.Services);
        });
        builder.Services.AddSocketGateway();
        _app = builder.Build();
        _app.MapSocketGateway();
        _app.MapSessionHttp();
        await _app.StartAsync();
        var readiness = _app.Services.GetRequiredService<SocketGatewayHealthCheck>();
        await Eventually.TrueAsync(() => readiness.IsReady, "the socket gateway hears its silo");
    }

    public async ValueTask DisposeAsync()
    {
        _table.Read = TableRead.Whole;
        await _app.StopAsync();
        await _app.DisposeAsync();

        // It is the tests' process, too.
        Environment.ExitCode = 0;
    }

    [Fact]
    public async Task ASiloThatIsNotInItsTable_EndsNothing_WritesNothing_AcceptsNothing_ClosesItsSocketsAndStops()
    {
        _responder.For("go").Send("begun");
        await using var socket = await CheckedSocket.ConnectAsync(new Uri(Address, "/ws/s"));
        await socket.ExpectAsync("hello");
        await socket.AskAsync("go", "q-1");
        await socket.ExpectAsync("accepted");
        await socket.ExpectAsync("delta");
        var writes = _store.Writes;

        _table.Read = TableRead.Empty;
        await UntilAsync(Eviction.Evicted);

        await _responder.For("go").Stopped.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(_app.Services.GetRequiredService<SocketGatewayHealthCheck>().IsReady);
        using var http = new HttpClient { BaseAddress = new UriBuilder(Address) { Scheme = "http" }.Uri };
        using var asked = await http.PostAsJsonAsync("/v1/sessions/other/questions", new { question = "go" });
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "draining"), (asked.StatusCode, (await asked.Content.ReadFromJsonAsync<JsonElement>()).Text("code")));
        Assert.Equal(CloseCodes.ServiceRestart, (await socket.EndAsync()).Code);
        await UntilAsync(_app.Lifetime.ApplicationStopping);
        Assert.Equal(writes, _store.Writes);
        Assert.Equal(ClusterEviction.ExitCode, Environment.ExitCode);
    }

    [Fact]
    public async Task ACallToAnEvictedSilo_IsRefused_AndWritesNothing()
    {
        var session = _app.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>("/s");
        await session.AskAsync("q-1", "first");
        _table.Read = TableRead.Gone;
        await UntilAsync(Eviction.Evicted);
        var writes = _store.Writes;

        await Assert.ThrowsAsync<SiloUnavailableException>(() => session.AskAsync("q-2", "go", IfBusy.Replace));
        await Assert.ThrowsAnyAsync<Exception>(() => _app.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>("/asleep")
            .AskAsync("q-1", "go"));

        Assert.Equal(writes, _store.Writes);
        Assert.Equal(0, _responder.For("go").Runs);
    }

    [Fact]
    public async Task ASiloThatOrleansItselfFindsDead_EndsInOrder_InsteadOfAbortingItsProcess()
    {
        await using var socket = await CheckedSocket.ConnectAsync(new Uri(Address, "/ws/s"));
        await socket.ExpectAsync("hello");

        // This is what Orleans does when another silo tells it of the change, which can be before the silo reads the table for itself.
        _app.Services.GetRequiredService<IFatalErrorHandler>().OnFatalException(this, "I have been told I am dead.", null);

        Assert.True(Eviction.IsEvicted);
        Assert.Equal(CloseCodes.ServiceRestart, (await socket.EndAsync()).Code);
        await UntilAsync(_app.Lifetime.ApplicationStopping);
        Assert.Equal(ClusterEviction.ExitCode, Environment.ExitCode);
    }

    [Fact]
    public async Task ATableThatCannotBeRead_EvictsNobody()
    {
        var reads = _table.Reads;
        _table.Read = TableRead.Unreachable;
        await Eventually.TrueAsync(() => _table.Reads >= reads + 3, "the table was read again and again");

        Assert.False(Eviction.IsEvicted);
        Assert.Equal(0, Environment.ExitCode);
    }

    private Uri Address => new UriBuilder(_app.Urls.First()) { Scheme = "ws" }.Uri;

    private static async Task UntilAsync(CancellationToken happening) => await Eventually.TrueAsync(() => happening.IsCancellationRequested, "it happens");
}
