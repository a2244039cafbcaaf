using OrleansSessions.Benchmarks.Load;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>The servers that a run compares.</summary>
internal static class Contenders
{
    public const string Kestrel = "kestrel";
    public const string SignalR = "signalr";
    public const string Sessions = "sessions";

    /// <summary>The number of words in a question whose answer is streamed in pieces. An echo answers with the same number of pieces.</summary>
    public const int Words = 50;

    /// <summary>By default the echo responder pauses between words, so that people can watch.</summary>
    private static readonly string[] WithoutPauses = ["--Responder:Echo:InitialDelay=00:00:00", "--Responder:Echo:Delay=00:00:00"];

    /// <summary>A client that asks as fast as it can is what the other measures need, and what this limit is against.</summary>
    private const string WithoutMessageLimit = "--SocketGateway:MaxMessagesPerMinute=0";

    /// <summary>Every process has sessions of its own, which end with it.</summary>
    private const string InMemory = "--Sessions:Persistence=Memory";

    public static Contender Create(string name, string serverPath) => name switch
    {
        Kestrel => new Contender(name, "bare Kestrel WebSocket, same frames", [ThisDll, "peer", name], Basic, V1, V1OneWord),
        SignalR => new Contender(
            name,
            "SignalR hub, JSON protocol over WebSocket",
            [ThisDll, "peer", name],
            (server, _) => new HubAsker(Hub(server)),
            (server, _) => new HubStreamAsker(Hub(server), Words),
            (server, _) => new HubAsker(Hub(server))),
        Sessions => new Contender(
            name, "this server, role All, echo responder without pauses", [serverPath, .. WithoutPauses, WithoutMessageLimit, InMemory], Basic, V1, V1OneWord),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Unknown server."),
    };

    /// <summary>This server with the limits that it has by default.</summary>
    public static Contender WithDefaultLimits(string serverPath) =>
        new(Sessions, "this server with its default limits", [serverPath, .. WithoutPauses, InMemory], Basic, V1, V1OneWord);

    /// <summary>
    /// This server with its sessions somewhere. They keep one ended question each: what a write costs is compared, not what a long history adds to it.
    /// </summary>
    public static Contender WithStorage(string name, string description, string serverPath, params string[] settings) =>
        new(name, description, [serverPath, .. WithoutPauses, WithoutMessageLimit, .. settings], Basic, V1, V1OneWord);

    /// <summary>The path of the server's dll after the build of this project: the same configuration and framework, another project.</summary>
    public static string DefaultServerPath
    {
        get
        {
            var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            var repository = Path.GetFullPath(Path.Combine(output.FullName, "..", "..", "..", "..", ".."));
            return Path.Combine(
                repository, "src", "OrleansSessions.Server", "bin", output.Parent!.Name, output.Name, "OrleansSessions.Server.dll");
        }
    }

    private static string ThisDll => typeof(Contenders).Assembly.Location;

    private static BasicAsker Basic(Uri server, int slot) => new BasicAsker(new Uri(server, $"/ws/one-{slot}"));

    private static V1Asker V1(Uri server, int slot) => new V1Asker(new Uri(server, $"/ws/pieces-{slot}?v=1"), Words);

    private static V1Asker V1OneWord(Uri server, int slot) => new V1Asker(new Uri(server, $"/ws/idle-{slot}?v=1"), words: 1);

    private static Uri Hub(Uri server) => new(server, "/hub");
}
