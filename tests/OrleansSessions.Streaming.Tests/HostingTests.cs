using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Streams;
using Xunit;

namespace OrleansSessions.Streaming.Tests;

public sealed class HostingTests
{
    [Fact]
    public async Task AddPushStreams_Twice_AddsOneProviderWithBothConfigurations()
    {
        await using var cluster = await PushCluster.StartAsync(
            options => options.QueueCount = 3,
            silo: host =>
            {
                host.AddMemoryGrainStorage("PubSubStore");
                host.AddPushStreams("twice", options => options.QueueCount = 2).AddPushStreams("twice", options => options.BatchSize = 7);
            });

        var services = cluster.Services();

        Assert.Single(services.GetKeyedServices<IStreamProvider>("twice"));
        var options = services.GetRequiredService<IOptionsMonitor<PushStreamOptions>>().Get("twice");
        Assert.Equal((2, 7), (options.QueueCount, options.BatchSize));
        Assert.Equal(3, cluster.Queues().Count);
    }

    [Fact]
    public void AddPushStreams_TwiceOnAClient_AddsOneProvider()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.UseOrleansClient(client => client.UseLocalhostClustering().AddPushStreams("twice").AddPushStreams("twice"));
        using var host = builder.Build();

        Assert.Single(host.Services.GetKeyedServices<IStreamProvider>("twice"));
    }

    [Fact]
    public async Task BadOptions_StopTheStart_WithAllErrorsAtOnce()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.UseOrleans(silo => silo.UseLocalhostClustering().AddMemoryGrainStorage("PubSubStore").AddPushStreams("bad", MakeBad));
        using var host = builder.Build();

        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        AssertNamesAll(refusal);
    }

    [Fact]
    public async Task BadOptions_StopTheStartOfAClientToo()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.UseOrleansClient(client => client.UseLocalhostClustering().AddPushStreams("bad", MakeBad));
        using var host = builder.Build();

        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        AssertNamesAll(refusal);
    }

    [Fact]
    public void Defaults_AreValid() => Assert.True(new PushStreamOptionsValidator().Validate("any", new PushStreamOptions()).Succeeded);

    private static void MakeBad(PushStreamOptions options)
    {
        options.QueueCount = 257;
        options.QueueCapacity = 0;
        options.EnqueueTimeout = TimeSpan.Zero;
        options.StreamCapacity = -1;
        options.BatchSize = 0;
        options.MaxDeliveryTime = TimeSpan.FromSeconds(-1);
    }

    private static void AssertNamesAll(OptionsValidationException refusal)
    {
        Assert.Equal(6, refusal.Failures.Count());
        Assert.Contains(refusal.Failures, failure => failure == "Push streams 'bad': PushStreamOptions.QueueCount is 257; it must be from 1 to 256.");
        foreach (var key in new[] { "QueueCapacity is 0", "EnqueueTimeout is 00:00:00", "StreamCapacity is -1", "BatchSize is 0", "MaxDeliveryTime is -00:00:01" })
        {
            Assert.Contains(refusal.Failures, failure => failure.Contains(key, StringComparison.Ordinal));
        }
    }
}
