using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Peers;

/// <summary>Runs one of the servers that this server is compared with, until it is killed.</summary>
internal static class Peer
{
    public static async Task<int> RunAsync(string name, string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        if (name == Contenders.SignalR)
        {
            SignalRPeer.AddServices(builder.Services);
        }

        await using var app = builder.Build();
        app.MapGet("/health/ready", () => TypedResults.Ok());
        switch (name)
        {
            case Contenders.Kestrel: KestrelPeer.Map(app); break;
            case Contenders.SignalR: SignalRPeer.Map(app); break;
            default: return ExitCodes.CouldNotRun;
        }

        await app.RunAsync();
        return ExitCodes.AllAnswersRight;
    }
}
