using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Streams;
using OrleansSessions.Gateways;
using OrleansSessions.Grains;

namespace OrleansSessions.TestKit.Faults;

/// <summary>
/// The stream queues of a test's silos, which lose, repeat and delay items on purpose. The items are numbered before they come here, as in production, so
/// every kind of item can be lost after its number was given. One object serves all silos of a cluster.
/// </summary>
/// <param name="seed">
/// Where chance begins. Items have the same chance in each run with the same seed: it follows from the item's session, kind, first number and place among
/// its repeats. Only how events are grouped to items depends on the time that the run takes.
/// </param>
public sealed class FaultyQueue(int seed) : IAsyncDisposable
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(120);

    private readonly ConcurrentDictionary<string, int> _gateways = new();
    private readonly ConcurrentDictionary<(ItemFate, GatewayItemKind), int> _counts = new();
    private readonly ConcurrentDictionary<string, int> _seen = new();
    private readonly CancellationTokenSource _stopping = new();
    private volatile Func<QueuedItem, ItemFate> _fates = ItemFates.None;
    private int _late;

    public int Seed => seed;

    /// <summary>Chooses what happens to each item. It can be replaced at any time, and is called from many threads.</summary>
    public Func<QueuedItem, ItemFate> Fates
    {
        get => _fates;
        set => _fates = value;
    }

    /// <summary>Items that wait for their late delivery.</summary>
    public int Late => Volatile.Read(ref _late);

    /// <summary>How many items have come here, whatever happened to them.</summary>
    public int Items => _counts.Values.Sum();

    /// <summary>How many items had this fate, of one kind or of all.</summary>
    public int Count(ItemFate fate, GatewayItemKind? kind = null) =>
        _counts.Where(count => count.Key.Item1 == fate && (kind is null || count.Key.Item2 == kind)).Sum(static count => count.Value);

    /// <summary>Puts this object before the queues of a silo. Adds the session grains, because their queues must exist.</summary>
    public void AddTo(ISiloBuilder silo)
    {
        silo.AddSessionGrains();
        var real = silo.Services.Last(service =>
            service.IsKeyedService && service.ServiceType == typeof(IQueueAdapterFactory) && Equals(service.ServiceKey, GatewayStreams.ProviderName));
        silo.Services.Remove(real);
        silo.Services.AddKeyedSingleton<IQueueAdapterFactory>(
            GatewayStreams.ProviderName,
            (services, name) => new FaultyAdapterFactory((IQueueAdapterFactory)real.KeyedImplementationFactory!(services, name), this));
    }

    /// <summary>Waits until no item is late any more. Call it before the silos stop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Clusters.Eventually.TrueAsync(() => Late == 0, "no item is late");
        _stopping.Dispose();
    }

    /// <param name="queue">Puts the item into the real queue.</param>
    internal Task EnqueueAsync(string gateway, GatewayItem item, Func<Task> queue)
    {
        var chance = ChanceOf(gateway, item);
        var fate = Fates(new QueuedItem(item, gateway, chance));
        _counts.AddOrUpdate((fate, item.Kind), 1, static (_, count) => count + 1);
        switch (fate)
        {
            case ItemFate.Drop:
                return Task.CompletedTask;
            case ItemFate.Repeat:
                EnqueueLateAsync(LongestDelay * chance, queue).Ignore();
                return queue();
            case ItemFate.Delay:
                EnqueueLateAsync(LongestDelay * chance, queue).Ignore();
                return Task.CompletedTask;
            default:
                return queue();
        }
    }

    private async Task EnqueueLateAsync(TimeSpan delay, Func<Task> queue)
    {
        Interlocked.Increment(ref _late);
        try
        {
            await Task.Delay(delay, TimeProvider.System, _stopping.Token);
            await queue();
        }
        finally
        {
            Interlocked.Decrement(ref _late);
        }
    }

    private double ChanceOf(string gateway, GatewayItem item)
    {
        var place = _gateways.GetOrAdd(gateway, _ => _gateways.Count);
        var number = item.Events.Length > 0 ? item.Events[0].Seq : item.Number;
        var name = string.Create(CultureInfo.InvariantCulture, $"{seed}/{place}/{item.Kind}/{item.SessionKey}/{number}");
        var repeat = _seen.AddOrUpdate(name, 0, static (_, count) => count + 1);
        return BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}/{repeat}"))) / (double)uint.MaxValue;
    }
}
