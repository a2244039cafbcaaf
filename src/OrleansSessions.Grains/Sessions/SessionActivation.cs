using Microsoft.Extensions.Logging;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>What the parts of one active session share.</summary>
internal sealed class SessionActivation
{
    private const string MovedKey = "orleanssessions.moved";

    private bool _hasMoved;

    public SessionActivation(IGrainBase grain, SessionServices services, ILogger logger)
    {
        Grain = grain;
        Key = grain.GrainContext.GrainId.Key.ToString()!;
        Services = services;
        Logger = logger;
        Clock = new SessionClock(services.Time);
        UsedAt = Now;
    }

    public IGrainBase Grain { get; }

    /// <summary>The grain's key.</summary>
    public string Key { get; }

    public SessionServices Services { get; }

    public SessionsOptions Options => Services.Options;

    public ILogger Logger { get; }

    public SessionClock Clock { get; }

    public DateTimeOffset Now => Clock.Now;

    /// <summary>When the session was last used.</summary>
    public DateTimeOffset UsedAt { get; set; }

    /// <summary>
    /// True if the activation moves on before it has read anything, with the calls that wait for it: its silo drains, and a silo whose directory cache is old has
    /// sent a call here. One that another silo has moved here stays: that silo may drain, too, without its being known here. To move back would need the
    /// activation there to be gone, and that waits for this one. Throws on a silo that is evicted.
    /// </summary>
    public async ValueTask<bool> MovesOnAsync()
    {
        await Services.Standing.CheckAsync();
        if (_hasMoved || !Services.Cluster.MustActivateElsewhere)
        {
            return false;
        }

        Grain.GrainContext.Migrate(requestContext: null, CancellationToken.None);
        return true;
    }

    /// <summary>Tells the activation on another silo, which takes the place of this one, that it was moved there.</summary>
    public static void Dehydrate(IDehydrationContext context) => context.TryAddValue(MovedKey, true);

    public void Rehydrate(IRehydrationContext context) => _hasMoved = context.TryGetValue<bool>(MovedKey, out _);

    /// <summary>Gives this activation up. The next call activates the session again.</summary>
    public void Leave() => Grain.DeactivateOnIdle();

    /// <summary>The fault of a call that came after that.</summary>
    public static OrleansException GivenUp() => new("This activation of the session was given up.");
}
