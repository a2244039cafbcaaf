using System.Runtime.InteropServices;
using OrleansSessions.Chaos;
using OrleansSessions.TestKit.Processes;

const int NothingFound = 0;
const int Found = 1;
const int CouldNotRun = 2;

if (ChaosOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(ChaosOptions.Usage);
    return CouldNotRun;
}

if (RedisProcess.Missing(RedisFlavour.RedisServer) is { } reason)
{
    Console.Error.WriteLine(reason);
    return CouldNotRun;
}

// Whatever ends this program early, the processes that it started end first.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    var report = await new ChaosRun(options, Console.Out).RunAsync(stop.Token);
    Console.WriteLine(report);
    return report.IsClean ? NothingFound : Found;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return CouldNotRun;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
