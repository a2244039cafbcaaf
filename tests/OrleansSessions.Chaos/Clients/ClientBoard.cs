using System.Collections.Concurrent;
using OrleansSessions.Chaos.Results;

namespace OrleansSessions.Chaos.Clients;

/// <summary>A client, as the faults see it.</summary>
internal interface IChaosClient
{
    /// <summary>The node of its connection, or null if it has none.</summary>
    int? Node { get; }

    /// <summary>The number of that connection.</summary>
    int Link { get; }

    /// <summary>True while it sees the events of an answer that has not ended.</summary>
    bool HasOpenAnswer { get; }

    Flow Flow { get; }

    /// <summary>Writes into its transcript what is done to it.</summary>
    void Note(string text);
}

/// <summary>All clients that are connected now, by name.</summary>
internal sealed class ClientBoard
{
    private readonly ConcurrentDictionary<string, IChaosClient> _clients = new();

    public int Count => _clients.Count;

    public void Add(string name, IChaosClient client) => _clients[name] = client;

    public void Remove(string name) => _clients.TryRemove(name, out _);

    /// <summary>A node is about to be lost, frozen or drained.</summary>
    /// <param name="isAnother">True if another node is away.</param>
    public void OnNodeFault(int node, Cause cause, bool isAnother)
    {
        foreach (var client in _clients.Values)
        {
            if (client.Node == node)
            {
                client.Note($"{cause} of node {node}, which has this connection");
                client.Flow.Disturb(cause, needsNewLink: cause != Cause.Freeze, isSilent: cause == Cause.Freeze);
            }
            else if (client is { Node: not null, HasOpenAnswer: true })
            {
                client.Note($"{cause} of node {node}");
                client.Flow.WatchAnswer(cause);
            }

            // Who is without a connection waits for this node, too.
            if (isAnother || client.Node is null)
            {
                client.Flow.HitAgain();
            }
        }
    }

    /// <summary>The name of a connection in its first request.</summary>
    public static string LinkName(string client, int number) => $"{client}#{number}";

    /// <summary>A connection is about to get a fault. If it carries only requests, no flow is disturbed.</summary>
    public void OnLinkFault(string link, string fault, bool needsNewLink, bool isSilent)
    {
        if (_clients.TryGetValue(link.Split('#')[0], out var client))
        {
            client.Note($"{fault} of {link}");
            if (link != LinkName(link.Split('#')[0], client.Link))
            {
                return;
            }

            if (client.Node is null)
            {
                client.Flow.HitAgain();
            }
            else
            {
                client.Flow.Disturb(Cause.Drop, needsNewLink, isSilent);
            }
        }
    }

    /// <summary>Redis is about to be broken, and whoever waits for something waits for that, too.</summary>
    public void OnStoreFault()
    {
        foreach (var client in _clients.Values)
        {
            client.Flow.HitAgain();
        }
    }

    /// <summary>Redis is back.</summary>
    public void OnStoreBack()
    {
        OnStoreFault();
        foreach (var client in _clients.Values.Where(client => client is { Node: not null, HasOpenAnswer: true }))
        {
            client.Note("Redis is back");
            client.Flow.WatchAnswer(Cause.Redis);
        }
    }
}
