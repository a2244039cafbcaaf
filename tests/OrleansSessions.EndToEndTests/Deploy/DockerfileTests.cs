using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Deploy;

/// <summary>
/// Carries out the Dockerfile without docker: copies what COPY copies into an empty folder, runs its RUN lines, and starts its ENTRYPOINT as the user that it
/// names. The base images are not part of that: the SDK and the shell are those of the tests.
/// </summary>
public sealed class DockerfileTests : IDisposable
{
    /// <summary>The id of the user of the .NET images.</summary>
    private const string AppUid = "1654";

    private static readonly TimeSpan BuildPatience = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CheckPatience = TimeSpan.FromSeconds(10);

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("image-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task Dockerfile_BuildsAServer_ThatRunsAsItsUser_IsHealthy_Answers_AndStopsInOrder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The image is one for Linux.");
        var bash = RequiredProgram.Find("bash");
        var (build, run) = Stages();

        // 1. Build, from what COPY copies.
        var source = Folder("source");
        var context = new BuildContext(RepositoryFolder.Path);
        foreach (var step in build.Steps)
        {
            switch (step.Instruction)
            {
                case "FROM" or "WORKDIR":
                    break;
                case "COPY":
                    context.Copy(step.Words, source);
                    break;
                case "RUN":
                    await RunAsync(bash, step.Arguments.Replace("--output /app", $"--output {Folder("app")}", StringComparison.Ordinal), source);
                    break;
                default:
                    Assert.Fail($"The test does not know how to carry this out while it builds: {step}");
                    break;
            }
        }

        // 2. Prepare what the image has: the program and a folder for its user.
        Assert.Equal("--from=build /app ./", run.Only("COPY").Arguments);
        Assert.Equal("install -d -o $APP_UID -g $APP_UID /data", run.Only("RUN").Arguments);
        Assert.Equal(("$APP_UID", "/data"), (run.Only("USER").Arguments, run.Only("VOLUME").Arguments));
        var user = IsRoot() ? AppUid : null;
        var data = Folder("data");
        if (user is not null)
        {
            await RunAsync(bash, $"chmod 755 {_root.FullName} && chown {user}:{user} {data}", _root.FullName);
        }

        // 3. Start it.
        var port = FreePort.Take();
        await using var server = Start(run, port, user);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await server.UntilAsync(() => IsHealthyAsync(run, port, server), "its HEALTHCHECK succeeds", StartPatience);
        if (user is not null)
        {
            Assert.Contains($"\nUid:\t{user}\t", await File.ReadAllTextAsync($"/proc/{server.Id}/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        // 4. Ask, and stop: with nobody connected the drain takes no time.
        var asked = await http.AskAsync("image", """{"question":"hello"}""", ("Prefer", "wait=10"));
        Assert.Equal((HttpStatusCode.OK, "hello"), (asked.Status, asked.Body.Text("text")));
        Assert.True(File.Exists(Path.Combine(data, "sessions.db")));
        Assert.Contains("SessionClient", await http.GetStringAsync("sessions.js", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var stopped = Stopwatch.GetTimestamp();
        Assert.Equal(0, await server.StopAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(stopped), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.False(await IsHealthyAsync(run, port, server: null));
    }

    private static (DockerfileStage Build, DockerfileStage Run) Stages()
    {
        var stages = DockerfileStage.Read(Path.Combine(RepositoryFolder.Path, "Dockerfile"));
        Assert.Equal(["build", null], stages.Select(stage => stage.Name));
        return (stages[0], stages[1]);
    }

    /// <summary>Starts the ENTRYPOINT with its ENV. The base image says on which port it listens.</summary>
    private ChildProcess Start(DockerfileStage run, int port, string? user)
    {
        var environment = run.All("ENV").Select(step => step.Arguments.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Replace("/data", Folder("data"), StringComparison.Ordinal));
        environment["ASPNETCORE_HTTP_PORTS"] = port.ToString(CultureInfo.InvariantCulture);
        environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        environment["Auth__AllowAnonymous"] = "true";
        environment["DOTNET_gcServer"] = "0";
        environment["HOME"] = Folder("data");
        var entry = run.Only("ENTRYPOINT").Command;
        Assert.Equal("dotnet", entry[0]);
        string[] command = [ChildProcess.DotnetPath, .. entry[1..]];
        return user is null
            ? ChildProcess.Start("ENTRYPOINT", command[0], command[1..], environment, Folder("app"))
            : ChildProcess.Start("ENTRYPOINT", RequiredProgram.Find("setpriv"), [$"--reuid={user}", $"--regid={user}", "--clear-groups", .. command], environment, Folder("app"));
    }

    /// <summary>Runs the HEALTHCHECK, which asks the port of the image.</summary>
    private static async Task<bool> IsHealthyAsync(DockerfileStage run, int port, ChildProcess? server)
    {
        Assert.False(server is { HasExited: true }, server?.Output);
        var check = run.Only("HEALTHCHECK").Arguments;
        var command = JsonSerializer.Deserialize<string[]>(check[(check.IndexOf("CMD ", StringComparison.Ordinal) + 4)..])!;
        Assert.Contains("${Server__ManagementPort:-8080}", command[^1], StringComparison.Ordinal);
        await using var asked = ChildProcess.Start(
            "HEALTHCHECK", command[0], command[1..], new Dictionary<string, string> { ["Server__ManagementPort"] = port.ToString(CultureInfo.InvariantCulture) });
        return await asked.ExitAsync(CheckPatience) == 0;
    }

    private static async Task RunAsync(string bash, string line, string folder)
    {
        // No process may stay that builds. What analyzers say, the build of the tests has said, and here they would take most of the time.
        var environment = new Dictionary<string, string> { ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0", ["RunAnalyzers"] = "false" };
        await using var step = ChildProcess.Start("RUN", bash, ["-c", line], environment, folder);
        Assert.True(await step.ExitAsync(BuildPatience) == 0, $"RUN {line}\n{step.Output}");
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_root.FullName, name)).FullName;

    private static bool IsRoot() => UserId() == 0;

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint UserId();
}
