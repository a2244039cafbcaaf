using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests;

/// <summary>A program that a test cannot do without.</summary>
internal static class RequiredProgram
{
    /// <summary>Returns its path. Skips the test if it is absent; on a build server that is a failure.</summary>
    public static string Find(string program)
    {
        var path = ProgramPath.Find(program);
        if (path is null)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{program} is not on the path, and CI must run this test.");
            Assert.Skip($"{program} is not on the path.");
        }

        return path!;
    }
}
