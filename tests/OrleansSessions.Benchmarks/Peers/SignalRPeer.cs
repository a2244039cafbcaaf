using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansSessions.Benchmarks.Peers;

/// <summary>What a team that does not need sessions would use: a hub with its defaults.</summary>
internal static class SignalRPeer
{
    public static void AddServices(IServiceCollection services) =>
        // The load generator sends no pings while it waits. No other option is changed.
        services.AddSignalR(options => options.ClientTimeoutInterval = TimeSpan.FromMinutes(10));

    public static void Map(WebApplication app) => app.MapHub<EchoHub>("/hub");
}

[SuppressMessage("Performance", "CA1822", Justification = "A hub offers instance methods only.")]
internal sealed class EchoHub : Hub
{
    public string Ask(string question) => question;

    public IAsyncEnumerable<string> AskInPieces(string question) => Words.Of(question).ToAsyncEnumerable();
}
