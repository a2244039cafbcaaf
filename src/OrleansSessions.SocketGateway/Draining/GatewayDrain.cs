using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Gateways;
using OrleansSessions.SocketGateway.Feed;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Draining;

/// <summary>
/// Lets the clients of a stopping process go to others, a few at a time, before the web server stops. What is left when the time is over is closed.
/// </summary>
internal sealed partial class GatewayDrain(
    FollowerRegistry registry, SiloHeartbeats silos, SessionGrains grains, IOptions<DrainOptions> options,
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider clock, ILogger<GatewayDrain> logger) : IDrainStep
{
    /// <summary>The longest time over which clients are spread. It leaves each of them the rest of the drain to connect elsewhere.</summary>
    private static readonly TimeSpan LongestSpread = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>How long the drain waits to be told of the other socket gateways.</summary>
    private static readonly TimeSpan RegistryPatience = TimeSpan.FromSeconds(1);

    /// <summary>Longer than the second after which every silo tells the registry that it drains.</summary>
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(1.2);

    /// <summary>How long the last connections may take to close.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(2);

    public async Task DrainAsync(CancellationToken ending)
    {
        if (!registry.Sessions.Any())
        {
            return;
        }

        if (ending.IsCancellationRequested)
        {
            await CloseAllAsync();
            return;
        }

        // 1. Is there somewhere to go? Processes that stop together learn that of each other within a second.
        var hasOthers = await HasOthersAsync();
        if (hasOthers)
        {
            await Task.Delay(Shorter(SecondLook, options.Value.Timeout / 10), clock, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            hasOthers = await HasOthersAsync();
        }

        // 2. Clients are sent there, spread over a part of the time.
        var spread = Shorter(options.Value.Timeout / 2, LongestSpread);
        var askedAt = clock.GetTimestamp();
        LogMessages.Leaving(logger, Followers().Count(), hasOthers);
        while (!ending.IsCancellationRequested && Followers().Any())
        {
            if (clock.GetElapsedTime(askedAt) > SecondLook)
            {
                // One may have started or stopped meanwhile.
                hasOthers = await HasOthersAsync();
                askedAt = clock.GetTimestamp();
            }

            foreach (var follower in Followers())
            {
                if (hasOthers)
                {
                    follower.Depart(DepartureReason.Draining, spread * Random.Shared.NextDouble());
                }
                else if (!follower.IsHeldByAnswer && !follower.IsWaiting)
                {
                    // There is nowhere to go, so a client stays for as long as it sees an answer here.
                    follower.CloseLeaving(isEvicted: false);
                }
            }

            await Task.Delay(Pause, clock, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // 3. The rest.
        await CloseAllAsync();
    }

    private async Task CloseAllAsync()
    {
        var startedAt = clock.GetTimestamp();
        registry.CloseAll(grains.IsEvicted);
        while (Followers().Any() && clock.GetElapsedTime(startedAt) < LastPatience)
        {
            await Task.Delay(Pause, clock, CancellationToken.None);
        }
    }

    private IEnumerable<IFollower> Followers() => registry.Sessions.SelectMany(session => session.All);

    private async Task<bool> HasOthersAsync()
    {
        try
        {
            var list = await grains.Registry.ListAsync(new() { Silo = grains.Host, IsDraining = true }).WaitAsync(RegistryPatience, clock);

            // A registry that has just moved does not know all of them yet.
            return (!list.IsSettled && silos.ActiveCount > 1) || list.Entries.Any(entry => entry.Gateway != grains.Gateway && IsStaying(entry.Host, list));
        }
        catch (Exception fault)
        {
            LogMessages.NotTold(logger, fault);
            return true;
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <summary>One with a silo is listed for a while after that has died. One in a process of its own is taken to stay until its lease ends.</summary>
    private bool IsStaying(SiloAddress? host, SocketGatewayList list) => host is null || (silos.IsActive(host) && !list.Draining.Contains(host));

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "{Count} connections leave this process (other socket gateways to go to: {HasOthers}).")]
        public static partial void Leaving(ILogger logger, int count, bool hasOthers);

        [LoggerMessage(2, LogLevel.Warning, "The registry of socket gateways does not answer. Clients are sent elsewhere all the same.")]
        public static partial void NotTold(ILogger logger, Exception fault);
    }
}
