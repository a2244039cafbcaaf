using OrleansSessions.Client.Frames;
using OrleansSessions.Client.Sessions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Connections;

/// <summary>Opens the next connection while the present one serves, because the server wants that one to go.</summary>
internal sealed class Mover(LinkOpener opener, SessionCore core, Lock gate, SessionClientOptions options)
{
    /// <summary>Opens a connection until one is greeted from the present epoch.</summary>
    /// <param name="delay">When to begin.</param>
    /// <returns>The connection, and its <c>hello</c>.</returns>
    public async Task<(Link Link, ServerFrame Hello)> MoveAsync(TimeSpan delay, BackOff backOff, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(delay, options.TimeProvider, cancellationToken).ConfigureAwait(false);
            var (epoch, last) = Position();
            var (link, failure) = await opener.OpenAsync(epoch, last, cancellationToken).ConfigureAwait(false);
            var advised = failure?.Refusal?.RetryAfter;
            if (link is not null)
            {
                var first = await FirstFrameAsync(link, cancellationToken).ConfigureAwait(false);
                if (first is { Message: HelloMessage } hello && epoch == Position().Epoch)
                {
                    return (link, hello);
                }

                advised = first?.Message is ErrorMessage error ? RefusalErrors.Of(error).RetryAfter : null;
                await link.DisposeAsync().ConfigureAwait(false);
            }

            delay = backOff.Next(TimeSpan.Zero, advised);
        }
    }

    private (string? Epoch, long Last) Position()
    {
        lock (gate)
        {
            return core.Position;
        }
    }

    private async Task<ServerFrame?> FirstFrameAsync(Link link, CancellationToken cancellationToken)
    {
        try
        {
            return await link.ReceiveAsync().WaitAsync(options.RequestTimeout, options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            await link.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
