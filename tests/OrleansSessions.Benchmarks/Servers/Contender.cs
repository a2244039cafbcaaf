using OrleansSessions.Benchmarks.Load;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>One of the servers that are compared: how it is started and how one talks to it.</summary>
/// <param name="Command">The dll and its arguments, without the address.</param>
/// <param name="OneFrame">A client whose answers come as one frame.</param>
/// <param name="Streaming">A client whose answers come in pieces, for a question of so many words.</param>
/// <param name="Attached">A client as it waits for most of its life, able to ask.</param>
internal sealed record Contender(
    string Name,
    string Description,
    IReadOnlyList<string> Command,
    Func<Uri, int, Asker> OneFrame,
    Func<Uri, int, Asker> Streaming,
    Func<Uri, int, Asker> Attached);
