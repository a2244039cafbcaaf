using System.Text.RegularExpressions;

namespace OrleansSessions.EndToEndTests.Deploy;

/// <summary>
/// The part of a Dockerfile from one FROM to the next. It knows what the product's file uses, and fails for anything else, so that no step is passed over.
/// </summary>
internal sealed partial record DockerfileStage(string? Name, IReadOnlyList<DockerfileStep> Steps)
{
    private static readonly string[] Known = ["FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT"];

    public static IReadOnlyList<DockerfileStage> Read(string file)
    {
        var text = string.Join('\n', File.ReadLines(file).Where(line => !line.StartsWith('#') && line.Trim().Length > 0));
        var stages = new List<(string? Name, List<DockerfileStep> Steps)>();
        foreach (var line in Continued().Replace(text, " ").Split('\n'))
        {
            var (instruction, arguments) = (line.Split(' ')[0], line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim());
            if (!Known.Contains(instruction))
            {
                throw new NotSupportedException($"The test does not know how to carry this out: {line}");
            }

            if (instruction == "FROM")
            {
                stages.Add((Named().Match(arguments) is { Success: true } named ? named.Groups["name"].Value : null, []));
            }

            stages[^1].Steps.Add(new(instruction, arguments));
        }

        return [.. stages.Select(stage => new DockerfileStage(stage.Name, stage.Steps))];
    }

    public IEnumerable<DockerfileStep> All(string instruction) => Steps.Where(step => step.Instruction == instruction);

    public DockerfileStep Only(string instruction) => All(instruction).Single();

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@" AS (?<name>\w+)$")]
    private static partial Regex Named();
}
