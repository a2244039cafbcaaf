using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text.Json;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>The two ends of one WebSocket, connected in memory.</summary>
internal sealed class MemorySockets : IDisposable
{
    public MemorySockets()
    {
        var (up, down) = (new Pipe(), new Pipe());
        Client = Create(new BothWays(down.Reader.AsStream(), up.Writer.AsStream()), isServer: false);
        Server = Create(new BothWays(up.Reader.AsStream(), down.Writer.AsStream()), isServer: true);
    }

    public WebSocket Client { get; }

    public WebSocket Server { get; }

    /// <summary>The next message to the client, which must be text.</summary>
    public static async Task<JsonElement> NextAsync(WebSocket client, TimeSpan patience)
    {
        using var message = new MemoryStream();
        var buffer = new byte[64 * 1024];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await client.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).AsTask().WaitAsync(patience);
            Assert.Equal(WebSocketMessageType.Text, part.MessageType);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        using var document = JsonDocument.Parse(message.ToArray());
        return document.RootElement.Clone();
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }

    private static WebSocket Create(Stream stream, bool isServer) =>
        WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = isServer, KeepAliveInterval = TimeSpan.Zero });

    private sealed class BothWays(Stream read, Stream write) : Stream
    {
        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            read.ReadAsync(buffer, cancellationToken);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await write.WriteAsync(buffer, cancellationToken);
            await write.FlushAsync(cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            read.Dispose();
            write.Dispose();
            base.Dispose(disposing);
        }
    }
}
