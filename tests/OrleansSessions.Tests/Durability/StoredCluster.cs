using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;
using Orleans.Serialization;
using Orleans.Storage;
using OrleansSessions.Grains.States;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Stores;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>A cluster whose sessions are in rows that outlive it. Several can use the same rows, like processes that follow each other.</summary>
internal sealed class StoredCluster : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private StoredCluster(SessionCluster cluster, StoredRows rows, StoreAccess store) => (Cluster, Rows, Store) = (cluster, rows, store);

    public SessionCluster Cluster { get; }

    public StoredRows Rows { get; }

    public StoreAccess Store { get; }

    /// <param name="rows">Where the sessions are. Default: new rows.</param>
    /// <param name="inner">The store behind the access, in place of the rows.</param>
    public static async Task<StoredCluster> StartAsync(
        StoredRows? rows = null, Action<SessionsOptions>? configure = null, string responderName = "scripted",
        Func<IServiceProvider, IGrainStorage>? inner = null, Action<ISiloBuilder>? configureSilo = null)
    {
        var (kept, store) = (rows ?? new StoredRows(), new StoreAccess());
        var cluster = await SessionCluster.StartAsync(
            responderName: responderName,
            configure: configure,
            configureSilo: silo =>
            {
                store.Register(silo, inner ?? (services => kept.ToStorage(new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>()))));

                // A test holds an operation up until it has seen what it waits for, however slow the machine is. That is no outage here.
                silo.Services.AddSingleton(services => new StoreWatch(
                    services.GetRequiredService<StoreHealth>(), services.GetRequiredKeyedService<TimeProvider>(TimeProviderNames.SystemTimers))
                {
                    OperationLimit = Patience,
                    CallerLimit = Patience,
                });
                configureSilo?.Invoke(silo);
            });
        return new(cluster, kept, store);
    }

    public ISessionGrain Session(string id) => Cluster.Session(id);

    /// <summary>The name under which the rows and the operations of a session are.</summary>
    public static string Key(string id) => "/" + id;

    /// <summary>Asks a question, has the scripted responder answer it, and waits until its end is visible.</summary>
    public async Task<QuestionDescription> AnswerAsync(string session, string id, string question, params string[] answer)
    {
        var script = Cluster.Responder.For(question);
        foreach (var piece in answer)
        {
            script.Send(piece);
        }

        script.Finish();
        Assert.Equal(AskOutcome.Accepted, (await Session(session).AskAsync(id, question)).Outcome);
        return await EndOfAsync(session, id);
    }

    public async Task<QuestionDescription> EndOfAsync(string session, string id)
    {
        var question = await Session(session).WaitForEndAsync(id, TimeSpan.FromHours(1)).WaitAsync(Patience);
        Assert.NotNull(question?.End);
        return question;
    }

    /// <summary>The session's activation leaves, and the next call makes another one.</summary>
    public async Task SleepAsync(string session) => await Session(session).AsReference<IGrainManagementExtension>().DeactivateOnIdle();

    /// <summary>Waits until the store has a slot of a session.</summary>
    public Task HasSlotAsync(string session, string slot) =>
        Eventually.TrueAsync(() => Rows.Of(Key(session)).ContainsKey(slot), $"session {session} has {slot}");

    public async ValueTask DisposeAsync() => await Cluster.DisposeAsync();
}
