using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Clients;

/// <summary>All cases for a client program.</summary>
internal static class ClientCases
{
    public static IReadOnlyList<ConformanceCase<ClientScene>> All { get; } =
    [
        new("12.first-attach", "the first socket is of v1 and states no position", FirstAttachAsync),
    ];

    private static async Task FirstAttachAsync(ClientScene scene)
    {
        await scene.ConnectAsync();
        var attempt = await scene.AttemptAsync();
        Check.Equal(null, attempt.Epoch ?? attempt.After, "the position of a client that has none");
        var socket = await attempt.OpenAsync();
        await socket.SendAsync(ServerFrames.Hello());
        await scene.Lines.StateAsync("live");
        await socket.ExpectNothingAsync();
    }
}
