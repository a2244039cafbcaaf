using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>The buffer for one frame. It is pooled: a connection holds one only while it sends.</summary>
internal sealed class FrameBuffer
{
    private const int InitialBytes = 1024;
    private const int MaxKeptBytes = 64 * 1024;

    private static readonly DefaultObjectPool<FrameBuffer> Pool = new(new Policy(), maximumRetained: 4 * Environment.ProcessorCount);

    private readonly Utf8JsonWriter _json;
    private ArrayBufferWriter<byte> _bytes = new(InitialBytes);

    private FrameBuffer() => _json = ServerMessageWriter.CreateWriter(_bytes);

    public static FrameBuffer Rent() => Pool.Get();

    public static void Return(FrameBuffer buffer) => Pool.Return(buffer);

    /// <summary>Returns the message as JSON. The result is valid until the next call.</summary>
    public ReadOnlyMemory<byte> Write(ServerMessage message)
    {
        _bytes.ResetWrittenCount();
        _json.Reset(_bytes);
        ServerMessageWriter.Write(_json, message);
        return _bytes.WrittenMemory;
    }

    private sealed class Policy : PooledObjectPolicy<FrameBuffer>
    {
        public override FrameBuffer Create() => new();

        public override bool Return(FrameBuffer buffer)
        {
            if (buffer._bytes.Capacity > MaxKeptBytes)
            {
                buffer._bytes = new(InitialBytes);
            }

            return true;
        }
    }
}
