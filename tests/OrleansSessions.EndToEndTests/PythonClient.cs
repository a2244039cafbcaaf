using System.Diagnostics;
using System.Text.Json;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests;

/// <summary>Runs the Python client of <c>clients/python</c> in its own process, with a time limit.</summary>
internal static class PythonClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static string Script => Path.Combine(RepositoryFolder.Path, "clients", "python", "sessions_client.py");

    /// <summary>Skips the test if Python is not installed. On a build server, the test fails instead.</summary>
    public static void SkipIfAbsent()
    {
        if (FindPython() is null)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", "python3 is not on the path, and CI must run this test.");
            Assert.Skip("python3 is not on the path.");
        }
    }

    /// <summary>Runs the client as a script, which asks and prints the answer as it arrives.</summary>
    public static Task<string> AskAsync(string url, string question, CancellationToken cancellationToken, params string[] headers) =>
        RunAsync([Script, url, question, .. headers], cancellationToken);

    /// <summary>Runs the client as a script that is refused, and returns its error message.</summary>
    public static async Task<string> FailToAskAsync(string url, string question, CancellationToken cancellationToken, params string[] headers) =>
        (await Assert.ThrowsAsync<PythonFailedException>(() => RunAsync([Script, url, question, .. headers], cancellationToken))).Message;

    /// <summary>Runs the client over a connection that fails according to a plan; see <c>python/drops.py</c>.</summary>
    public static async Task<JsonElement> AskOverBadConnectionAsync(string url, string question, string plan, CancellationToken cancellationToken)
    {
        var output = await RunAsync(
            [
                Path.Combine(RepositoryFolder.Path, "tests", "OrleansSessions.EndToEndTests", "python", "drops.py"), Path.Combine(RepositoryFolder.Path, "clients", "python"), url, question,
                plan,
            ],
            cancellationToken);
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    private static async Task<string> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(FindPython()!) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var errors = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return process.ExitCode == 0 ? await output : throw new PythonFailedException($"The Python client ended with {process.ExitCode}:\n{await errors}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The Python client did not end within {Patience}: {string.Join(' ', arguments)}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string? FindPython() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "python3.exe" : "python3")).FirstOrDefault(File.Exists);
}

/// <summary>The Python client ended with an error. The message contains its output.</summary>
internal sealed class PythonFailedException(string message) : Exception(message);
