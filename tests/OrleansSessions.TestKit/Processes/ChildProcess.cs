using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace OrleansSessions.TestKit.Processes;

/// <summary>A process that a test started. Its output is recorded. When this object is disposed, the process and all its child processes are ended.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const int KeptLines = 400;
    private const int Sigterm = 15;
    private const int Sigcont = 18;
    private const int Sigstop = 19;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(25);

    private readonly Process _process;
    private readonly Queue<string> _lines = [];

    private ChildProcess(string name, Process process)
    {
        Name = name;
        _process = process;
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The exit code. Valid only after the process has exited.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The last output of both streams, in order of arrival.</summary>
    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>The path of the <c>dotnet</c> host that runs the tests.</summary>
    public static string DotnetPath { get; } = FindDotnet();

    public static ChildProcess Start(
        string name, string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = folder ?? System.IO.Path.GetTempPath(),
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        var process = new Process { StartInfo = start };
        var child = new ChildProcess(name, process);
        process.OutputDataReceived += (_, line) => child.OnLine(line.Data);
        process.ErrorDataReceived += (_, line) => child.OnLine(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>
    /// Polls until the condition is true. If the process ends or the time limit is reached, the error contains the expectation and the
    /// output of the process.
    /// </summary>
    public async Task UntilAsync(Func<Task<bool>> condition, string expectation, TimeSpan patience)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (HasExited)
            {
                throw new InvalidOperationException($"{Name} ended with code {ExitCode} while waiting until {expectation}. It printed:\n{Output}");
            }

            if (TimeProvider.System.GetElapsedTime(start) > patience)
            {
                throw new TimeoutException($"{Name}: not within {patience.TotalSeconds:N0} s: {expectation}. It printed:\n{Output}");
            }

            await Task.Delay(PollInterval, TimeProvider.System);
        }
    }

    /// <summary>Writes a line to the standard input of the process.</summary>
    public async Task WriteLineAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until the process ends by itself.</summary>
    public async Task<int> ExitAsync(TimeSpan patience)
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(patience, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{Name} did not end within {patience.TotalSeconds:N0} s. It printed:\n{Output}");
        }

        return ExitCode;
    }

    /// <summary>Requests a graceful shutdown and waits for it. On a system without such a request, the process is killed.</summary>
    public async Task<int> StopAsync()
    {
        if (!HasExited && (OperatingSystem.IsWindows() || SendSignal(Id, Sigterm) != 0))
        {
            Kill();
        }

        return await ExitAsync(StopPatience);
    }

    /// <summary>Sends another signal to stop to a process that stops already. Linux only.</summary>
    public void StopAgain() => SendOnLinux(Sigterm);

    /// <summary>
    /// Freezes the process, like a machine that hangs: it keeps its connections and sends nothing. After that, only a kill or
    /// <see cref="Thaw"/> changes anything.
    /// </summary>
    public void Freeze() => SendOnLinux(Sigstop);

    /// <summary>Lets a frozen process go on.</summary>
    public void Thaw() => SendOnLinux(Sigcont);

    /// <summary>Kills the process and all its child processes.</summary>
    public void Kill()
    {
        if (!HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await ExitAsync(StopPatience);
        _process.Dispose();
    }

    private void SendOnLinux(int signal)
    {
        // Other systems have other numbers for these signals.
        if (!OperatingSystem.IsLinux() || SendSignal(Id, signal) != 0)
        {
            throw new PlatformNotSupportedException("Only Linux can freeze a process for a test.");
        }
    }

    private void OnLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
            {
                _lines.Dequeue();
            }
        }
    }

    private static string FindDotnet()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var beside = System.IO.Path.GetFullPath(System.IO.Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(beside) ? beside : name;
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
