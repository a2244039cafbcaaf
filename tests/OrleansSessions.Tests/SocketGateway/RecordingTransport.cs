using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Frames;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>A transport that accepts every frame at once and records it.</summary>
internal sealed class RecordingTransport : ITransport
{
    public List<JsonElement> Sent { get; } = [];

    /// <summary>Fails the test. For a writer whose client keeps up and whose frames are valid.</summary>
    public static void FailOnStuck(Exception? fault) => Assert.Fail(fault?.ToString() ?? "Nothing here is slow.");

    public ValueTask SendAsync(ServerMessage message, FrameBuffer buffer)
    {
        using var document = JsonDocument.Parse(buffer.Write(message));
        Sent.Add(document.RootElement.Clone());
        return default;
    }

    public Task CloseAsync(int code, string reason) => Task.CompletedTask;

    public void Abort()
    {
    }

    public void OnTick(long now)
    {
    }
}
