using System.Text.Json;

namespace OrleansSessions.EndToEndTests.Deploy;

/// <summary>One instruction of a Dockerfile, with its words or its line.</summary>
internal sealed record DockerfileStep(string Instruction, string Arguments)
{
    public string[] Words => Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The arguments in their JSON form: <c>["dotnet", "Server.dll"]</c>.</summary>
    public string[] Command => JsonSerializer.Deserialize<string[]>(Arguments)!;
}
