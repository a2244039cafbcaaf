using System.Net.WebSockets;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Profiles;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>The socket's clocks. One timer of the process looks at all sockets, so that a socket needs none of its own.</summary>
internal sealed partial class SocketConnection
{
    public void OnTick(long now)
    {
        if (IsClosing)
        {
            return;
        }

        var (options, clock) = (_services.Options, _services.Clock);
        if (_reader.MessageSince is var message and not 0 && clock.GetElapsedTime(message, now) > options.MessageTimeout)
        {
            Close(CloseCodes.PolicyViolation, "The message was not finished in time.", null, dropWaiting: false);
            return;
        }

        if (_writer.SendingSince is var sending and not 0 && clock.GetElapsedTime(sending, now) > options.SendTimeout)
        {
            ((ISocketWriterOwner)this).OnSlowConsumer();
            return;
        }

        // Basic sockets are kept alive by WebSocket pings, which the runtime sends and watches.
        if (_request.Profile == WireProfile.V1)
        {
            KeepAlive(now);
        }
    }

    private void KeepAlive(long now)
    {
        var (options, clock) = (_services.Options, _services.Clock);
        if (!_writer.HasRoom)
        {
            // The reader may be held back, so silence says nothing. SendTimeout watches a client that does not read.
            _reader.ExcuseSilence(now);
        }
        else if (clock.GetElapsedTime(_reader.LastHeardAt, now) > options.HeartbeatInterval * 2)
        {
            Close(CloseCodes.MissedHeartbeat, "Nothing was heard for too long.");
        }
        else if (clock.GetElapsedTime(_writer.LastSentAt, now) >= options.HeartbeatInterval && _socket.State == WebSocketState.Open)
        {
            SendPing();
        }
    }

    private void SendPing()
    {
        lock (_gate)
        {
            _writer.Enqueue(new ServerPingMessage(_profile is V1Profile v1 ? v1.LastSeq : 0));
        }

        Flush();
    }
}
