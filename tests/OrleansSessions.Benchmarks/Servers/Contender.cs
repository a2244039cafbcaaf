using OrleansSessions.Benchmarks.Load;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>One of the compared servers: how it is started and how clients use it.</summary>
/// <param name="Command">The dll and its arguments, without the address.</param>
/// <param name="OneFrame">Creates a client that receives each answer in one frame.</param>
/// <param name="Streaming">Creates a client that receives each answer in pieces.</param>
/// <param name="Attached">Creates an attached client for the memory measure, which is idle most of the time but can ask.</param>
internal sealed record Contender(
    string Name,
    string Description,
    IReadOnlyList<string> Command,
    Func<Uri, int, Asker> OneFrame,
    Func<Uri, int, Asker> Streaming,
    Func<Uri, int, Asker> Attached);
