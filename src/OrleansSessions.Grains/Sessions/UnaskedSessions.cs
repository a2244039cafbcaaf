using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// Sessions of this silo that were never asked and that no socket follows. They stay awake for a moment, each for one of two reasons.
/// </summary>
internal sealed class UnaskedSessions(IOptions<SessionsOptions> options, [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
{
    /// <summary>
    /// How long a client may take to come back. It is longer than any wait between two attempts of a client. Where idle grains leave sooner
    /// (<see cref="SessionsOptions.CollectionAge"/>), so do these.
    /// </summary>
    public static readonly TimeSpan StayTime = TimeSpan.FromMinutes(2);

    /// <summary>How many may wait for a client at the same time, because each takes the memory of an activation.</summary>
    public const int MaxStays = 10_000;

    /// <summary>How long a session waits for further calls. It is longer than a call waits for its turn on a busy machine.</summary>
    public static readonly TimeSpan CallTime = TimeSpan.FromSeconds(1);

    /// <summary>How many may wait for calls at the same time: anyone can call sessions that do not exist, and each takes the memory of an activation.</summary>
    public const int MaxCallStays = 1_000;

    /// <summary>The ones whose last socket has gone: a client that connects, disconnects and connects again finds the epoch that it was sent.</summary>
    public StayQueue Clients { get; } = new(options.Value.CollectionAge < StayTime ? options.Value.CollectionAge : StayTime, MaxStays, time);

    /// <summary>
    /// The ones that were only called. If such an activation left at once, each call that waits behind the first one would need another activation, and
    /// Orleans forwards a call only twice before it refuses it.
    /// </summary>
    public StayQueue Calls { get; } = new(CallTime, MaxCallStays, time);
}
