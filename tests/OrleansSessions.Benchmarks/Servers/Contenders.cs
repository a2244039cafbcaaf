using OrleansSessions.Benchmarks.Load;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>The servers that a run compares.</summary>
internal static class Contenders
{
    public const string Kestrel = "kestrel";
    public const string SignalR = "signalr";
    public const string Sessions = "sessions";

    /// <summary>So many words a question has where answers come in pieces; an echo answers with as many pieces.</summary>
    public const int Words = 50;

    /// <summary>By default the echo pauses between words for people to watch.</summary>
    private static readonly string[] WithoutPauses = ["--Responder:Echo:InitialDelay=00:00:00", "--Responder:Echo:Delay=00:00:00"];

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
        Sessions => new Contender(name, "this server, role All, echo responder without pauses", [serverPath, .. WithoutPauses], Basic, V1, V1OneWord),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such server."),
    };

    /// <summary>The server's dll where the build of this project puts it: the same configuration and framework, another project.</summary>
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
