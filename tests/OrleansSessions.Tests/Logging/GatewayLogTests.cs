using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Logging;

/// <summary>The exception of a failed grain call can contain text of a store or a responder. The socket gateway logs the exception without it.</summary>
public sealed class GatewayLogTests
{
    private const string Asked = "What is my balance on account 4711?";

    [Fact]
    public async Task AFaultThatRepeatsTheQuestion_IsLoggedWithoutIt_OnASocketAndOverHttp()
    {
        using var logs = new RecordedLogs();
        var storage = new TalkativeStorage(Asked) { Fails = false };
        await using var cluster = await SessionCluster.StartAsync(
            configureSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, storage));
        await using var host = await SocketHost.StartAsync(
            cluster.Orleans.Client, configureHost: builder => builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs));
        storage.Fails = true;
        await using var socket = await host.ConnectV1Async("s1");

        await socket.SendAsync($$"""{"id":"q1","question":"{{Asked}}"}""");
        await socket.UntilAsync("error");
        using var body = new StringContent($$"""{"id":"q2","question":"{{Asked}}"}""", System.Text.Encoding.UTF8, "application/json");
        using var refused = await host.Http.PostAsync("/v1/sessions/s2/questions", body, TestContext.Current.CancellationToken);

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        foreach (var session in new[] { "Session s1", "Session s2" })
        {
            await Eventually.TrueAsync(() => logs.OwnLines.Any(line => line.Contains(session, StringComparison.Ordinal)), $"the fault of {session} is logged");
        }

        Assert.All(logs.Lines, line => Assert.DoesNotContain("my balance", line, StringComparison.Ordinal));
    }

    [Fact]
    public void EveryLoggerOfTheLibrary_IsOneThatLeavesMessagesOut()
    {
        var services = new ServiceCollection();
        services.AddSocketGateway();

        var loggers = services.Where(service => service.ServiceType.IsGenericType && service.ServiceType.GetGenericTypeDefinition() == typeof(ILogger<>)
            && service.ServiceType.GetGenericArguments()[0].Assembly == typeof(SocketGatewayOptions).Assembly);

        Assert.True(loggers.Count() >= 6);
        Assert.All(loggers, logger => Assert.Contains("GatewayLoggers", logger.ImplementationType!.FullName!, StringComparison.Ordinal));
    }
}
