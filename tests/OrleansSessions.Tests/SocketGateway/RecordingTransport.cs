using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Frames;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>A transport that accepts every frame at once and records it.</summary>
internal sealed class RecordingTransport : ITransport
{
    public TimeSpan? Grace => TimeSpan.FromSeconds(10);

    public List<JsonElement> Sent { get; } = [];

    /// <summary>Fails the test. For a writer whose client keeps up and whose frames are valid.</summary>
    public static void FailOnStuck(Exception? fault) => Assert.Fail(fault?.ToString() ?? "Nothing here is slow.");

    /// <summary>The first frame of a connection, without limits.</summary>
    public static HelloMessage Hello(AttachReply reply, bool isResuming) => new()
    {
        Session = "s",
        Connection = "c",
        Responder = reply.Responder,
        Epoch = Epochs.ToWire(reply.Epoch),
        Seq = reply.Seq,
        Open = reply.Open,
        IsResuming = isResuming,
    };

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
