using System.ComponentModel;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Resuming.Cases;
using OrleansSessions.Conformance.Servers;

namespace OrleansSessions.Conformance.Resuming;

/// <summary>The verb <c>resume</c>: cuts the connections of a client program to real servers.</summary>
internal static class ResumeVerb
{
    public static async Task<int> RunAsync(ConformanceOptions options, TextWriter output)
    {
        var cases = CaseList.Choose(ResumeCases.All, options);
        if (options.IsList)
        {
            return await CaseList.PrintAsync(cases, output);
        }

        try
        {
            return CaseList.ExitCode(await TryAsync(cases, options, () => ClientProcess.Start(options.Command), output));
        }
        catch (Exception fault) when (fault is CaseFailedException or Win32Exception)
        {
            await output.WriteLineAsync(fault.Message);
            return CaseList.CouldNotRun;
        }
    }

    /// <param name="loseServer">Ends the first one of the servers in the middle of an answer, or null if none is lost.</param>
    /// <exception cref="CaseFailedException">There is no such server.</exception>
    public static async Task<IReadOnlyList<CaseResult>> TryAsync(
        IReadOnlyList<ConformanceCase<ResumeScene>> cases, ConformanceOptions options, Func<IClientUnderTest> start, TextWriter output,
        Func<Task>? loseServer = null)
    {
        ServerTarget[] servers = [.. options.Servers.Select(address => new ServerTarget(address, options))];
        try
        {
            foreach (var server in servers)
            {
                await server.ProbeAsync();
            }

            var target = new ResumeTarget(servers, start, loseServer);
            return await new CaseRun<ResumeScene>(output, _ => new(target)).RunAsync(cases, options.AtATime);
        }
        finally
        {
            foreach (var server in servers)
            {
                server.Dispose();
            }
        }
    }
}
