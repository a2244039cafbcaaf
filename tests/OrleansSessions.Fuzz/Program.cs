using OrleansSessions.Fuzz;

const int NothingFound = 0;
const int Found = 1;
const int BadArguments = 2;

if (FuzzOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(FuzzOptions.Usage);
    return BadArguments;
}

// 1. One input again.
if (options.Replay is { } replay)
{
    return Print(await FuzzKinds.ReplayAsync(replay.Kind, replay.Input));
}

if (options.Only is { } only)
{
    return Print(await FuzzKinds.ReplayAsync(options.Kinds[0], options.Seed, only));
}

// 2. A run.
Console.WriteLine($"seed {options.Seed}");
var exitCode = NothingFound;
foreach (var kind in options.Kinds)
{
    var report = await FuzzKinds.RunAsync(kind, options.InputsOf(kind), options.Seed);
    Console.WriteLine(report);
    exitCode = report.IsClean ? exitCode : Found;
}

return exitCode;

static int Print(string? fault)
{
    Console.WriteLine(fault ?? "Nothing is wrong with this input.");
    return fault is null ? NothingFound : Found;
}
