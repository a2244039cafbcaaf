using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Decides who may use an endpoint for administrators: callers with the permission, and callers on this machine.</summary>
internal sealed class AdministrationGate(Gatekeeper gatekeeper, HostPolicy hosts)
{
    /// <returns>The reason why the request is refused, or null if it is allowed.</returns>
    public async ValueTask<ErrorMessage?> FindRefusalAsync(HttpContext context) =>
        gatekeeper.FindRefusal(context, out _) ?? (hosts.IsLocal(context) ? null : await gatekeeper.AdmitAsync(context, SessionRights.Administer));
}
