using OrleansSessions.Conformance;
using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Resuming;
using OrleansSessions.Conformance.Servers;

const int CouldNotRun = 2;

if (args is ["play"])
{
    return await new DotNetClient(Console.In, Console.Out).RunAsync();
}

if (args is [] or ["--help"] or ["-h"] or ["help"] || args.TakeWhile(argument => argument != "--").Contains("--help"))
{
    Console.WriteLine(ConformanceOptions.Usage);
    return args is [] ? CouldNotRun : 0;
}

var (options, fault) = ConformanceOptions.Parse(args);
if (options is null)
{
    Console.Error.WriteLine(fault);
    Console.Error.WriteLine("--help lists what can be tried, and the options.");
    return CouldNotRun;
}

return options.Verb switch
{
    "server" => await ServerVerb.RunAsync(options, Console.Out),
    "resume" => await ResumeVerb.RunAsync(options, Console.Out),
    _ => await ClientVerb.RunAsync(options, Console.Out),
};
