using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>
/// The connection under a WebSocket. After an invalid frame, the runtime sends a close frame, stops reading, and resets the connection when the socket is
/// disposed. A reset can destroy the close frame on its way, so this class reads on until the peer has answered.
/// </summary>
/// <param name="upgrade">Opens a WebSocket with HTTP/1.1.</param>
/// <param name="connect">Opens a WebSocket with HTTP/2.</param>
/// <param name="lifetime">Resets the connection.</param>
/// <param name="services">Have the limits of the stream that the WebSocket reads.</param>
internal sealed class RawConnection(
    IHttpUpgradeFeature? upgrade, IHttpExtendedConnectFeature? connect, IHttpRequestLifetimeFeature lifetime, FollowerServices services)
    : IHttpUpgradeFeature, IHttpExtendedConnectFeature, IHttpRequestLifetimeFeature
{
    // A masked close frame has two header bytes, four mask bytes, and a payload of at most 125 bytes.
    private const byte CloseOpcode = 0x88;
    private const byte MaskBit = 0x80;
    private const int CloseHeaderBytes = 6;
    private const int MaxClosePayload = 125;
    private const int BufferBytes = 4096;

    private Stream? _stream;
    private PacedStream? _paced;
    private bool _isClosedByPeer;

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => lifetime.RequestAborted;
        set => lifetime.RequestAborted = value;
    }

    bool IHttpUpgradeFeature.IsUpgradableRequest => upgrade is { IsUpgradableRequest: true };

    bool IHttpExtendedConnectFeature.IsExtendedConnect => connect is { IsExtendedConnect: true };

    string? IHttpExtendedConnectFeature.Protocol => connect?.Protocol;

    /// <summary>Runs before the WebSocket middleware, which uses these features to open the socket.</summary>
    public static Task RememberAsync(HttpContext context, RequestDelegate next)
    {
        var features = context.Features;
        var (upgrade, connect) = (features.Get<IHttpUpgradeFeature>(), features.Get<IHttpExtendedConnectFeature>());
        var connection = new RawConnection(
            upgrade, connect, features.GetRequiredFeature<IHttpRequestLifetimeFeature>(), context.RequestServices.GetRequiredService<FollowerServices>());
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

    /// <summary>The connection under the request's WebSocket, or null if the host's own middleware accepted the socket.</summary>
    public static RawConnection? Of(HttpContext context) =>
        context.Features.Get<IHttpRequestLifetimeFeature>() is RawConnection { _stream: not null } connection ? connection : null;

    /// <inheritdoc cref="PacedStream.FloodedFor"/>
    public TimeSpan FloodedFor(long now) => _paced?.FloodedFor(now) ?? TimeSpan.Zero;

    /// <inheritdoc cref="PacedStream.Exhaust"/>
    public void Exhaust() => _paced?.Exhaust();

    /// <inheritdoc cref="PacedStream.Excuse"/>
    public void Excuse(int messageBytes) => _paced?.Excuse(messageBytes);

    /// <summary>Reads and discards data until the peer has answered the close or left. After that, the connection is not reset any more.</summary>
    /// <remarks>
    /// The runtime may have stopped in the middle of a frame, so the data cannot be read frame by frame.
    /// A close frame is the last frame of a peer, so it is recognized if the data received so far ends with it.
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

                // The frame can arrive in pieces, so the last bytes, as many as a close frame can have, are kept for the next check.
                var kept = Math.Min(length, CloseHeaderBytes + MaxClosePayload);
                buffer.AsSpan(length - kept, kept).CopyTo(buffer);
                length = kept;
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer is gone or the time is over, so there is nothing to wait for.
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

    async Task<Stream> IHttpUpgradeFeature.UpgradeAsync() => Pace(await upgrade!.UpgradeAsync());

    async ValueTask<Stream> IHttpExtendedConnectFeature.AcceptAsync() => Pace(await connect!.AcceptAsync());

    private PacedStream Pace(Stream stream)
    {
        _stream = stream;
        return _paced = new(stream, services.Options.MaxControlBytesPerSecond, services.Options.MaxMessageBytes, services.Clock);
    }

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
