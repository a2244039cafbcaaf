using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using OrleansSessions.Client;
using OrleansSessions.Client.ChatClient;
using OrleansSessions.Grains;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Responders.ChatClient;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.Server;
using OrleansSessions.SocketGateway;
using OrleansSessions.Storage.Sqlite;
using OrleansSessions.Streaming;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.Tests.House;

/// <summary>The shape of the product's code: what each project may know, and how large its parts may become.</summary>
public sealed partial class ShapeTests
{
    private const int MaxClassLines = 300;
    private const int MaxConstructorParameters = 6;

    private static readonly Assembly[] Assemblies =
    [
        typeof(WireErrors).Assembly, typeof(IResponder).Assembly, typeof(PushStreamOptions).Assembly, typeof(SessionGrainsExtensions).Assembly,
        typeof(SqliteStorageOptions).Assembly, typeof(OpenAIOptions).Assembly, typeof(ChatClientResponderOptions).Assembly, typeof(SocketGatewayOptions).Assembly,
        typeof(ServerOptions).Assembly, typeof(SessionClient).Assembly, typeof(SessionChatClient).Assembly,
    ];

    [Theory]
    [InlineData("OrleansSessions.Protocol")]
    [InlineData("OrleansSessions.Client", "OrleansSessions.Protocol")]
    [InlineData("OrleansSessions.Abstractions", "OrleansSessions.Protocol")]
    [InlineData("OrleansSessions.Streaming")]
    [InlineData("OrleansSessions.Storage.Sqlite")]
    [InlineData("OrleansSessions.Grains", "OrleansSessions.Protocol", "OrleansSessions.Abstractions", "OrleansSessions.Streaming")]
    [InlineData("OrleansSessions.Responders.OpenAI", "OrleansSessions.Protocol", "OrleansSessions.Abstractions")]
    [InlineData("OrleansSessions.Responders.ChatClient", "OrleansSessions.Protocol", "OrleansSessions.Abstractions")]
    [InlineData("OrleansSessions.Client.ChatClient", "OrleansSessions.Protocol", "OrleansSessions.Client")]
    [InlineData("OrleansSessions.SocketGateway", "OrleansSessions.Protocol", "OrleansSessions.Abstractions", "OrleansSessions.Streaming")]
    public void Project_ReferencesOnlyWhatItMayKnow(string project, params string[] known)
    {
        var assembly = Assemblies.Single(assembly => assembly.GetName().Name == project);
        var own = assembly.GetReferencedAssemblies().Select(reference => reference.Name!).Where(name => name.StartsWith("OrleansSessions.", StringComparison.Ordinal));
        Assert.Empty(own.Except(known));
    }

    [Theory]
    [InlineData("OrleansSessions.Protocol", "Orleans", "Microsoft.AspNetCore")]
    [InlineData("OrleansSessions.Client", "Orleans", "Microsoft.AspNetCore", "Microsoft.Extensions.Http", "Microsoft.Extensions.Options")]
    [InlineData("OrleansSessions.Grains", "Microsoft.AspNetCore")]
    [InlineData("OrleansSessions.Client.ChatClient", "Orleans", "Microsoft.AspNetCore")]
    [InlineData("OrleansSessions.Storage.Sqlite", "Microsoft.AspNetCore")]
    [InlineData("OrleansSessions.Abstractions", "Microsoft.AspNetCore", "Orleans.Runtime", "Orleans.Streaming")]
    public void Project_KnowsNothingOf(string project, params string[] unknown)
    {
        var references = Assemblies.Single(assembly => assembly.GetName().Name == project).GetReferencedAssemblies().Select(reference => reference.Name!);
        Assert.DoesNotContain(references, name => unknown.Any(prefix => name == prefix || name.StartsWith(prefix + ".", StringComparison.Ordinal)));
    }

    [Fact]
    public void NoConstructor_HasMoreThanSixParameters()
    {
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        var tooMany =
            from assembly in Assemblies
            from type in assembly.GetTypes()
            where !type.IsDefined(typeof(CompilerGeneratedAttribute)) && type.Namespace?.StartsWith("OrleansSessions", StringComparison.Ordinal) == true
            from constructor in type.GetConstructors(All)
            where constructor.GetParameters().Length > MaxConstructorParameters
            select $"{type.FullName}: {constructor.GetParameters().Length}";
        Assert.Empty(tooMany);
    }

    [Fact]
    public void NoType_IsLongerThan300Lines_CountingAllItsParts()
    {
        var lines = new Dictionary<string, int>();
        foreach (var (project, path) in Sources())
        {
            var (start, name, number) = (0, "", 0);
            foreach (var line in File.ReadLines(path))
            {
                number++;
                if (TopLevelType().Match(line) is { Success: true } type)
                {
                    (start, name) = (number, $"{project}: {type.Groups["name"].Value}");
                }
                else if (line == "}" && name.Length > 0)
                {
                    lines[name] = lines.GetValueOrDefault(name) + number - start + 1;
                    name = "";
                }
            }
        }

        Assert.NotEmpty(lines);
        var tooLong = lines.Where(type => type.Value > MaxClassLines).Select(type => $"{type.Key}: {type.Value}").ToList();
        Assert.Empty(tooLong);
    }

    [Fact]
    public void NoCircle_IsBetweenSiblingFolders()
    {
        // Where a file of a folder uses a namespace below another folder of the same project, the one folder knows the other.
        var uses = new Dictionary<string, HashSet<string>>();
        foreach (var (project, path) in Sources())
        {
            var root = project == "OrleansSessions.Abstractions" ? "OrleansSessions" : project;
            var text = File.ReadAllText(path);
            if (Folder(root, Namespace().Match(text).Groups["name"].Value) is not { } folder)
            {
                continue;
            }

            var known = Using().Matches(text).Select(match => Folder(root, match.Groups["name"].Value)).OfType<string>().Where(other => other != folder);
            uses.TryAdd($"{project}/{folder}", []);
            uses[$"{project}/{folder}"].UnionWith(known.Select(other => $"{project}/{other}"));
        }

        Assert.NotEmpty(uses);
        var inACircle = uses.Keys.Where(folder => Reaches(uses, folder, folder, [])).ToList();
        Assert.Empty(inACircle);
    }

    private static bool Reaches(Dictionary<string, HashSet<string>> uses, string from, string target, HashSet<string> seen) =>
        uses.GetValueOrDefault(from, []).Any(next => next == target || (seen.Add(next) && Reaches(uses, next, target, seen)));

    /// <summary>The folder below the project that a namespace belongs to, or null.</summary>
    private static string? Folder(string root, string name) =>
        name.StartsWith(root + ".", StringComparison.Ordinal) ? name[(root.Length + 1)..].Split('.')[0] : null;

    private static IEnumerable<(string Project, string Path)> Sources() =>
        from folder in Directory.GetDirectories(Path.Combine(RepositoryFolder.Path, "src"))
        from path in Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
        where !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
        select (Path.GetFileName(folder), path);

    [GeneratedRegex(@"^(?:(?:public|internal|static|sealed|abstract|partial|readonly) )*(?:class|record struct|record|struct|interface|enum) (?<name>\w+)")]
    private static partial Regex TopLevelType();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using (?<name>OrleansSessions[\w.]*);", RegexOptions.Multiline)]
    private static partial Regex Using();
}
