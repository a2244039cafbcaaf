using System.Diagnostics;
using System.Globalization;

/// <summary>
/// Loaded into every server under measurement through DOTNET_STARTUP_HOOKS, before its Main; the runtime wants this name and no namespace.
/// On a line on standard input it settles the heap and tells what the process holds; at the end of standard input, when whoever
/// measures is gone, it ends the process.
/// </summary>
internal static class StartupHook
{
    /// <summary>Starts the lines that are a report and not the server's own output.</summary>
    public const string ReportPrefix = "@probe ";

    public static void Initialize()
    {
        // Not the pool's thread: it blocks for as long as the process lives.
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
