using System.Globalization;

namespace OrleansSessions.Chaos.Transcripts;

/// <summary>The kind of client that wrote a transcript.</summary>
internal enum ClientKind
{
    V1,
    Stream,
    Basic,
    Http,
}

/// <summary>All that one client sent and received, as it was on the wire, in order of arrival.</summary>
/// <param name="client">The client's name.</param>
/// <param name="isAsker">True if this client owes its user an end of each question that was accepted.</param>
internal sealed class Transcript(string client, ClientKind kind, bool isAsker = false)
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];

    public string Client { get; } = client;

    public ClientKind Kind { get; } = kind;

    public bool IsAsker { get; } = isAsker;

    public IReadOnlyList<Entry> Entries
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries];
            }
        }
    }

    public void Add(TimeSpan at, int link, EntryKind kind, string text)
    {
        lock (_gate)
        {
            _entries.Add(new(at, link, kind, text));
        }
    }

    /// <summary>The lines for people.</summary>
    public IEnumerable<string> Lines() => Entries.Select(entry =>
        string.Create(CultureInfo.InvariantCulture, $"{entry.At.TotalSeconds,9:F3} {Client} #{entry.Link} {entry.Kind,-9} {entry.Text}"));
}
