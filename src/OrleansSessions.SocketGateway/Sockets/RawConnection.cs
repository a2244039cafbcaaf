using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>
/// The connection under a WebSocket. After an invalid frame the runtime sends its close frame, reads no more, and resets the connection when the
/// socket is disposed. A reset can destroy the close frame on its way, so the rest is read here until the peer has answered.
/// </summary>
/// <param name="upgrade">How HTTP/1.1 opens a WebSocket.</param>
/// <param name="connect">How HTTP/2 opens one.</param>
/// <param name="lifetime">What resets the connection.</param>
internal sealed class RawConnection(IHttpUpgradeFeature? upgrade, IHttpExtendedConnectFeature? connect, IHttpRequestLifetimeFeature lifetime)
    : IHttpUpgradeFeature, IHttpExtendedConnectFeature, IHttpRequestLifetimeFeature
{
    // A masked close frame: two bytes of header, four of mask, and a payload of at most 125.
    private const byte CloseOpcode = 0x88;
    private const byte MaskBit = 0x80;
    private const int CloseHeaderBytes = 6;
    private const int MaxClosePayload = 125;
    private const int BufferBytes = 4096;

    private Stream? _stream;
    private bool _isClosedByPeer;

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => lifetime.RequestAborted;
        set => lifetime.RequestAborted = value;
    }

    bool IHttpUpgradeFeature.IsUpgradableRequest => upgrade is { IsUpgradableRequest: true };

    bool IHttpExtendedConnectFeature.IsExtendedConnect => connect is { IsExtendedConnect: true };

    string? IHttpExtendedConnectFeature.Protocol => connect?.Protocol;

    /// <summary>Runs before the WebSocket middleware, which takes what it needs from these features.</summary>
    public static Task RememberAsync(HttpContext context, RequestDelegate next)
    {
        var features = context.Features;
        var (upgrade, connect) = (features.Get<IHttpUpgradeFeature>(), features.Get<IHttpExtendedConnectFeature>());
        var connection = new RawConnection(upgrade, connect, features.GetRequiredFeature<IHttpRequestLifetimeFeature>());
        features.Set<IHttpRequestLifetimeFeature>(connection);
        if (upgrade is not null)
        {
            features.Set<IHttpUpgradeFeature>(connection);
        }

        if (connect is not null)
        {
            features.Set<IHttpExtendedConnectFeature>(connection);
        }

        return next(context);
    }

    /// <summary>The connection under the request's WebSocket, or null where the host's own middleware accepted it.</summary>
    public static RawConnection? Of(HttpContext context) =>
        context.Features.Get<IHttpRequestLifetimeFeature>() is RawConnection { _stream: not null } connection ? connection : null;

    /// <summary>Reads until the peer has answered the close or left, and throws away what it reads. After that the connection is no longer reset.</summary>
    /// <remarks>
    /// The runtime may have stopped in the middle of a frame, so this cannot read frame by frame.
    /// A close frame is a peer's last one: it is recognized where it ends what has come so far.
    /// </remarks>
    public async Task ReadToCloseAsync(CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var length = 0;
            while (!_isClosedByPeer)
            {
                var read = await _stream!.ReadAsync(buffer.AsMemory(length), cancellationToken);
                length += read;
                _isClosedByPeer = read == 0 || EndsWithCloseFrame(buffer.AsSpan(0, length));

                // The frame may come in pieces, so as much as one can have is kept for the next look.
                var kept = Math.Min(length, CloseHeaderBytes + MaxClosePayload);
                buffer.AsSpan(length - kept, kept).CopyTo(buffer);
                length = kept;
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer is gone or its time is up: nothing is left to wait for.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    void IHttpRequestLifetimeFeature.Abort()
    {
        if (!_isClosedByPeer)
        {
            lifetime.Abort();
        }
    }

    async Task<Stream> IHttpUpgradeFeature.UpgradeAsync() => _stream = await upgrade!.UpgradeAsync();

    async ValueTask<Stream> IHttpExtendedConnectFeature.AcceptAsync() => _stream = await connect!.AcceptAsync();

    private static bool EndsWithCloseFrame(ReadOnlySpan<byte> bytes)
    {
        for (var payload = 0; payload <= MaxClosePayload; payload++)
        {
            var start = bytes.Length - CloseHeaderBytes - payload;
            if (start >= 0 && bytes[start] == CloseOpcode && bytes[start + 1] == (MaskBit | payload))
            {
                return true;
            }
        }

        return false;
    }
}
