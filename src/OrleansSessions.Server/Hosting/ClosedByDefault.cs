using System.Net;
using OrleansSessions.Server.Authentication;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.Server.Hosting;

/// <summary>Prevents a server from serving other machines by accident: without authentication, it starts only on loopback.</summary>
internal static class ClosedByDefault
{
    private const string Localhost = "localhost";

    /// <param name="addresses">The addresses for clients, as they are configured.</param>
    /// <returns>The mistake, or null if the server may start.</returns>
    public static string? FindMistake(ServerRole role, IReadOnlyList<string> addresses, AuthOptions auth, JwtOptions jwt)
    {
        // A silo serves health and metrics only.
        if (role == ServerRole.Silo || auth.AllowAnonymous || ServerAuthentication.IsConfigured(auth, jwt))
        {
            return null;
        }

        var open = addresses.Where(address => !IsLoopback(address)).ToList();
        return open.Count == 0 ? null
            : $"This server has no authentication, but other machines can reach it at {string.Join(" and ", open)}. Set Auth:Jwt:Authority, Auth:Jwt:Keys or "
            + "Auth:ApiKeys, or listen on localhost only; Auth:AllowAnonymous=true serves everyone without authentication.";
    }

    /// <summary>
    /// True if only this machine can reach the address. The web server listens everywhere for every name except localhost, and <c>[127.0.0.1]</c> is a name.
    /// </summary>
    internal static bool IsLoopback(string address)
    {
        BindingAddress binding;
        try
        {
            binding = BindingAddress.Parse(address);
        }
        catch (FormatException)
        {
            // The web server refuses it and says why.
            return true;
        }

        return binding.IsUnixPipe || binding.IsNamedPipe
            || binding.Host.Equals(Localhost, StringComparison.OrdinalIgnoreCase)
            || binding.Host.EndsWith("." + Localhost, StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(binding.Host, out var ip) && IPAddress.IsLoopback(ip));
    }
}
