using System.Globalization;

namespace OrleansSessions.Conformance;

/// <summary>The options from the command line.</summary>
internal sealed class ConformanceOptions
{
    public const string Usage = """
        Holds a server, or a client, against docs/protocol.md. docs/conformance.md explains each case and the lines that a client program reads and writes.

          conformance server URL [options]                   tries the server at this address, for example http://localhost:5080
          conformance client [options] -- COMMAND ARGS...     tries a client program against a scripted server
          conformance resume URL [URL2] [options] -- COMMAND ARGS...
                                                             cuts the connections of a client program to one or two real servers

        Options:
          --only TEXT          only the cases whose names contain this text; can be repeated
          --list               prints the names and claims of the cases, and tries nothing
          --at-a-time N        cases at a time, from 1 to 64 (default: 4 for a client, 8 for a server)
          --patience SECONDS   how long to wait for one thing, from 0.1 to 600 (default 5).
                               A whole case may take 12 times as long, and at least 60 seconds
          --token TOKEN        server and resume: the token to send
          --session-prefix P   server and resume: the beginning of the ids of all sessions (default conformance-)
          --question TEXT      server and resume: a question whose answer takes some seconds (default: 40 words).
                               A server with the responder 'external' needs none: its questions are answered over HTTP

        The exit code is 0 if all cases passed or were skipped, 1 if one failed, and 2 if nothing could be tried.
        """;

    private static readonly HashSet<string> Verbs = ["server", "client", "resume"];
    private static readonly HashSet<string> Valued = ["--only", "--at-a-time", "--patience", "--token", "--session-prefix", "--question"];

    public required string Verb { get; init; }

    public IReadOnlyList<Uri> Servers { get; init; } = [];

    public IReadOnlyList<string> Command { get; init; } = [];

    public IReadOnlyList<string> Only { get; init; } = [];

    public bool IsList { get; init; }

    public int AtATime { get; init; }

    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    public string? Token { get; init; }

    public string SessionPrefix { get; init; } = "conformance-";

    public string Question { get; init; } = DefaultQuestion;

    /// <summary>Forty numbered words, in which a loss or a repeat is easy to see.</summary>
    public static string DefaultQuestion { get; } =
        string.Join(' ', Enumerable.Range(1, 40).Select(number => string.Create(CultureInfo.InvariantCulture, $"word{number}")));

    /// <returns>Null and what is wrong, if the arguments are not valid.</returns>
    public static (ConformanceOptions? Options, string? Fault) Parse(string[] args)
    {
        if (args.Length == 0 || !Verbs.Contains(args[0]))
        {
            return (null, args.Length == 0 ? "Say what to try." : $"'{args[0]}' is none of server, client and resume.");
        }

        var values = new List<(string Name, string Value)>();
        var servers = new List<Uri>();
        string[] command = [];
        for (var i = 1; i < args.Length; i++)
        {
            if (args[i] == "--")
            {
                command = args[(i + 1)..];
                break;
            }

            if (args[i] == "--list")
            {
                values.Add((args[i], ""));
            }
            else if (Valued.Contains(args[i]))
            {
                if (i + 1 == args.Length)
                {
                    return (null, $"{args[i]} needs a value.");
                }

                values.Add((args[i], args[++i]));
            }
            else if (Uri.TryCreate(args[i], UriKind.Absolute, out var server) && server.Scheme is "http" or "https" && args[0] != "client")
            {
                servers.Add(server);
            }
            else
            {
                return (null, $"'{args[i]}' is neither an option nor the http address of a server.");
            }
        }

        return Check(args[0], values, servers, command);
    }

    private static (ConformanceOptions? Options, string? Fault) Check(
        string verb, List<(string Name, string Value)> values, List<Uri> servers, string[] command)
    {
        string? Last(string name) => values.LastOrDefault(value => value.Name == name).Value;
        var isList = Last("--list") is not null;
        var atATime = verb == "server" ? 8 : 4;
        if (Last("--at-a-time") is { } places && !(int.TryParse(places, out atATime) && atATime is >= 1 and <= 64))
        {
            return (null, $"--at-a-time is from 1 to 64, not '{places}'.");
        }

        var patience = 5.0;
        if (Last("--patience") is { } seconds
            && !(double.TryParse(seconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out patience) && patience is >= 0.1 and <= 600))
        {
            return (null, $"--patience is from 0.1 to 600 seconds, not '{seconds}'.");
        }

        var (fewest, most) = verb switch { "server" => (1, 1), "resume" => (1, 2), _ => (0, 0) };
        if (!isList && (servers.Count < fewest || servers.Count > most))
        {
            return (null, verb == "resume" ? "'resume' needs the addresses of one or two servers." : "'server' needs the address of one server.");
        }

        if (!isList && verb != "server" && command.Length == 0)
        {
            return (null, $"'{verb}' needs the command of a client program after '--'.");
        }

        return (new ConformanceOptions
        {
            Verb = verb,
            Servers = servers,
            Command = command,
            Only = [.. values.Where(value => value.Name == "--only").Select(value => value.Value)],
            IsList = isList,
            AtATime = atATime,
            Patience = TimeSpan.FromSeconds(patience),
            Token = Last("--token"),
            SessionPrefix = Last("--session-prefix") ?? "conformance-",
            Question = Last("--question") ?? DefaultQuestion,
        }, null);
    }
}
