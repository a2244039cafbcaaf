using OrleansSessions.Benchmarks;
using OrleansSessions.Benchmarks.Abuse;
using OrleansSessions.Benchmarks.Load;
using OrleansSessions.Benchmarks.Peers;
using OrleansSessions.Benchmarks.Servers;

if (args is ["peer", var peer, .. var peerArgs])
{
    return await Peer.RunAsync(peer, peerArgs);
}

if (args is [HostileClients.Command, .. var hostileArgs])
{
    return await HostileClients.RunAsync(hostileArgs);
}

if (!BenchmarkOptions.TryParse(args, out var options, out var complaint))
{
    Console.Error.WriteLine(complaint);
    Console.Error.WriteLine(BenchmarkOptions.Usage);
    return ExitCodes.CouldNotRun;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

try
{
    await new BenchmarkRun(options, Console.Out).RunAsync(stop.Token);
    return ExitCodes.AllAnswersRight;
}
catch (WrongAnswerException wrong)
{
    Console.Error.WriteLine($"\nAn answer was wrong: {wrong.Message}");
    return ExitCodes.WrongAnswer;
}
catch (ServerStartException fault)
{
    Console.Error.WriteLine(fault.Message);
    return ExitCodes.CouldNotRun;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return ExitCodes.CouldNotRun;
}
