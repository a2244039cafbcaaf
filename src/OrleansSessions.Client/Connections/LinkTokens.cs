namespace OrleansSessions.Client.Connections;

/// <summary>Tokens for connections that have, or had, another one.</summary>
internal sealed class LinkTokens(SessionClientOptions options)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    /// <summary>True if there is another token than the one that has expired.</summary>
    public async Task<bool> HasOtherAsync(string? used, CancellationToken stopping)
    {
        try
        {
            return options.Token is not null && await options.Token(stopping).ConfigureAwait(false) is { Length: > 0 } token && token != used;
        }
        catch (Exception) when (!stopping.IsCancellationRequested)
        {
            // It cannot be had at the moment. The next connection asks for it again, and tells why it has none.
            return true;
        }
    }

    /// <summary>A token for an open connection, or null if there is none.</summary>
    /// <param name="refusal">Why the last one must be sent again; null if it expires soon.</param>
    public async Task<string?> FreshAsync(SessionRefusedException? refusal, CancellationToken stopping)
    {
        if (options.Token is null)
        {
            return null;
        }

        if (refusal is not null)
        {
            await Task.Delay(refusal.RetryAfter ?? Retry, options.TimeProvider, stopping).ConfigureAwait(false);
        }

        try
        {
            return await options.Token(stopping).ConfigureAwait(false);
        }
        catch (Exception) when (!stopping.IsCancellationRequested)
        {
            // The connection goes on with the earlier token. After its end, the next connection asks again, and tells why it has none.
            return null;
        }
    }
}
