using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>Freezes a process and lets it go on.</summary>
internal static class ProcessSignals
{
    private const int Sigcont = 18;
    private const int Sigstop = 19;

    /// <summary>Freezes the process, like a machine that hangs: it keeps its connections and sends nothing.</summary>
    public static void Freeze(this Process process) => Send(process, Sigstop);

    /// <summary>Lets a frozen process go on.</summary>
    public static void Thaw(this Process process) => Send(process, Sigcont);

    private static void Send(Process process, int signal)
    {
        // The numbers of these two signals are those of Linux. Others have other numbers.
        if (!OperatingSystem.IsLinux() || SendSignal(process.Id, signal) != 0)
        {
            throw new ServerStartException("This measure freezes a process, which only works on Linux.");
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
