using System.Security.Authentication;
using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>Says why Redis is not available at the start, in words for the operator.</summary>
internal static class RedisStartFault
{
    /// <returns>A sentence without anything of the connection string, which can contain a password.</returns>
    public static string Explain(RedisConnectionException exception) => exception.GetBaseException() switch
    {
        // The message is of .NET: it says whether the name, the date or the issuer of the certificate is wrong.
        AuthenticationException fault => $"The TLS certificate of the Redis server in Cluster:Redis is not accepted. {fault.Message}",
        // The message is of the server and not repeated: some servers answer AUTH with the words that they did not understand.
        RedisServerException =>
            "The Redis server in Cluster:Redis refuses the user or the password, or requires one. Set user=... and password=... in the connection string.",
        _ => "The Redis server in Cluster:Redis cannot be reached. Check its host and port, and that ssl=true is set exactly if the server uses TLS.",
    };
}
