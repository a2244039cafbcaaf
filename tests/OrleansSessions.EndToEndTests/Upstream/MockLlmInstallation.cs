using OrleansSessions.EndToEndTests.JavaScript;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>The npm package <c>@dwmkerr/mock-llm</c>, in the versions of its lock file.</summary>
internal static class MockLlmInstallation
{
    /// <summary>Installs the package unless it is there. Returns the path of its program, or the reason why it cannot be installed.</summary>
    public static async Task<(string? Program, string? Missing)> GetAsync()
    {
        var (folder, missing) = await NpmInstallation.GetAsync("mock-llm", "tests", "OrleansSessions.EndToEndTests", "Upstream", "mock-llm");
        return (folder is null ? null : Path.Combine(folder, "node_modules", "@dwmkerr", "mock-llm", "dist", "main.js"), missing);
    }
}
