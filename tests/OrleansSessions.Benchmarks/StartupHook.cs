using System.Diagnostics;
using System.Globalization;

/// <summary>
/// Loaded into every measured server through DOTNET_STARTUP_HOOKS, before its Main. The runtime requires this name and no namespace.
/// For each line on standard input it collects garbage and reports the memory of the process. At the end of standard input, when the
/// benchmark is gone, it ends the process.
/// </summary>
internal static class StartupHook
{
    /// <summary>The prefix of report lines, which distinguishes them from the server's own output.</summary>
    public const string ReportPrefix = "@probe ";

    public static void Initialize()
    {
        // Not a pool thread, because it blocks for the whole life of the process.
        var thread = new Thread(Listen) { IsBackground = true, Name = "Benchmark probe" };
        thread.Start();
    }

    private static void Listen()
    {
        using var commands = new StreamReader(Console.OpenStandardInput());
        while (commands.ReadLine() is not null)
        {
            Settle();
            Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{ReportPrefix}{GC.GetTotalMemory(forceFullCollection: false)} {Environment.WorkingSet}"));
        }

        Process.GetCurrentProcess().Kill();
    }

    private static void Settle()
    {
        for (var pass = 0; pass < 2; pass++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }
}
