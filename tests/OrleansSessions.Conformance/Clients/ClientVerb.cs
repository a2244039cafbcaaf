using System.ComponentModel;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Clients.Cases;

namespace OrleansSessions.Conformance.Clients;

/// <summary>The verb <c>client</c>: tries a client program against a scripted server.</summary>
internal static class ClientVerb
{
    public static async Task<int> RunAsync(ConformanceOptions options, TextWriter output)
    {
        var cases = CaseList.Choose(ClientCases.All, options);
        if (options.IsList)
        {
            return await CaseList.PrintAsync(cases, output);
        }

        try
        {
            var results = await TryAsync(cases, options, () => ClientProcess.Start(options.Command), output);
            return CaseList.ExitCode(results);
        }
        catch (Win32Exception fault)
        {
            await output.WriteLineAsync($"The client program '{options.Command[0]}' cannot be started: {fault.Message}");
            return CaseList.CouldNotRun;
        }
    }

    public static async Task<IReadOnlyList<CaseResult>> TryAsync(
        IReadOnlyList<ConformanceCase<ClientScene>> cases, ConformanceOptions options, Func<IClientUnderTest> start, TextWriter output)
    {
        await using var server = await ScriptedServer.StartAsync();
        var patience = new Patience(options.Patience);
        return await new CaseRun<ClientScene>(output, _ => new(server, start, patience)).RunAsync(cases, options.AtATime);
    }
}
