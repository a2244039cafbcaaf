using System.Globalization;
using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.Tests.Deploy;

/// <summary>What the Dockerfile says of the image.</summary>
internal static class ImageFacts
{
    /// <summary>The id of the user of the .NET images, to which the Dockerfile refers as <c>$APP_UID</c>.</summary>
    public const int AppUid = 1654;

    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(RepositoryFolder.Path, "Dockerfile"));

    public static string User => Value("USER");

    public static IEnumerable<int> Ports => Value("EXPOSE").Split(' ').Select(port => int.Parse(port, CultureInfo.InvariantCulture));

    private static string Value(string instruction) => Lines.Single(line => line.StartsWith(instruction + " ", StringComparison.Ordinal))[(instruction.Length + 1)..];
}
