using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Takes fresh tokens for sockets whose token expires.</summary>
internal sealed class TokenRenewal(CallerPolicy callers, AuditLog audit)
{
    /// <param name="from">The connection, for the audit log.</param>
    public async Task<(SessionAccess? Access, ErrorMessage? Refusal)> TryAsync(SessionAccess current, string token, string from)
    {
        var (access, refusal) = await callers.RenewAsync(current, token);
        if (refusal is not null)
        {
            audit.Refused("auth on a socket", AuditLog.NameOf(current.Caller), from, refusal.Error.Code);
        }

        return (access, refusal);
    }
}
