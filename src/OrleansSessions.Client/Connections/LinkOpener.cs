using System.Net.WebSockets;
using OrleansSessions.Client.Http;

namespace OrleansSessions.Client.Connections;

/// <summary>Opens connections.</summary>
internal sealed class LinkOpener(SessionAddresses addresses, SessionClientOptions options, HttpMessageInvoker invoker)
{
    /// <summary>Opens one. It throws only if it is cancelled.</summary>
    /// <param name="epoch">With <paramref name="last"/>, the position from which it resumes; null for none.</param>
    /// <returns>Either the connection, or why there is none.</returns>
    public async Task<(Link? Link, LinkEnd? Failure)> OpenAsync(string? epoch, long last, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.RequestTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var upgrade = new UpgradeInvoker(invoker);
        var socket = new ClientWebSocket();
        string? token = null;
        try
        {
            if (options.Token is not null && await options.Token(either.Token).ConfigureAwait(false) is { Length: > 0 } given)
            {
                token = given;
                socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
            }

            foreach (var (name, value) in options.Headers)
            {
                socket.Options.SetRequestHeader(name, value);
            }

            // Only the heartbeats of the protocol count.
            socket.Options.KeepAliveInterval = TimeSpan.Zero;
            socket.Options.CollectHttpResponseDetails = true;
            await socket.ConnectAsync(addresses.Socket(epoch, last), upgrade, either.Token).ConfigureAwait(false);
            return (new Link(socket, epoch, token, options.TimeProvider), null);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, also a token that cannot be had at the moment: the next attempt can succeed, unless the server refused this one.
            socket.Dispose();
            return (null, new() { Refusal = upgrade.Refusal, Status = upgrade.Refusal is null ? null : upgrade.Status, Token = token, Fault = fault });
        }
        catch
        {
            // The attempt can fail because it is given up, and with another exception than that.
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }
}
