using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Servers.Cases;

namespace OrleansSessions.Conformance.Servers;

/// <summary>The verb <c>server</c>: tries a server at an address.</summary>
internal static class ServerVerb
{
    public static async Task<int> RunAsync(ConformanceOptions options, TextWriter output)
    {
        var cases = CaseList.Choose(ServerCases.All, options);
        if (options.IsList)
        {
            return await CaseList.PrintAsync(cases, output);
        }

        try
        {
            return CaseList.ExitCode(await TryAsync(cases, options, output));
        }
        catch (CaseFailedException fault)
        {
            await output.WriteLineAsync(fault.Message);
            return CaseList.CouldNotRun;
        }
    }

    /// <exception cref="CaseFailedException">There is no such server.</exception>
    public static async Task<IReadOnlyList<CaseResult>> TryAsync(
        IReadOnlyList<ConformanceCase<ServerScene>> cases, ConformanceOptions options, TextWriter output)
    {
        using var target = new ServerTarget(options.Servers[0], options);
        await target.ProbeAsync();
        await output.WriteLineAsync($"{options.Servers[0]} answers with the responder '{target.Responder}'.");
        return await new CaseRun<ServerScene>(output, _ => new(target)).RunAsync(cases, options.AtATime);
    }
}
