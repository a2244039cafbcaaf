using Microsoft.Extensions.Options;
using OrleansSessions.Sessions;
using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>Validates the section <c>Cluster</c>, and the values of other sections that depend on it.</summary>
internal sealed class ClusterConnectionOptionsValidator(IConfiguration values) : IValidateOptions<ClusterConnectionOptions>
{
    public ValidateOptionsResult Validate(string? name, ClusterConnectionOptions options)
    {
        var errors = FindErrors(options).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private IEnumerable<string> FindErrors(ClusterConnectionOptions options) => options.Provider switch
    {
        ClusterProvider.Localhost => FindLocalhostErrors(options),
        ClusterProvider.Redis => FindRedisErrors(options),
        _ => [],
    };

    private IEnumerable<string> FindLocalhostErrors(ClusterConnectionOptions options)
    {
        // Reads the raw values instead of the options: the options can be invalid too, and then report that themselves.
        var role = values.GetValue("Server:Role", ServerRole.All);
        if (role != ServerRole.All)
        {
            yield return $"Server:Role is {role}, but Cluster:Provider is Localhost, which is a single process; {role} needs Redis.";
        }

        if (Persistence == SessionPersistence.Stored)
        {
            yield return "Sessions:Persistence is Stored, but Cluster:Provider is Localhost, which has no store that others share; it needs Redis. "
                + "File keeps sessions in the file that Sessions:File names.";
        }

        if (options.AdvertisedAddress.Length > 0)
        {
            yield return $"Cluster:AdvertisedAddress is '{options.AdvertisedAddress}', but Cluster:Provider is Localhost, which no other process can reach.";
        }

        if (options.ListenAddress.Length > 0)
        {
            yield return $"Cluster:ListenAddress is '{options.ListenAddress}', but Cluster:Provider is Localhost, which always listens on 127.0.0.1.";
        }
    }

    private IEnumerable<string> FindRedisErrors(ClusterConnectionOptions options)
    {
        if (Persistence == SessionPersistence.File)
        {
            yield return "Sessions:Persistence is File, but Cluster:Provider is Redis, and one process alone can hold a file; it must be Auto or Stored.";
        }

        if (string.IsNullOrWhiteSpace(options.Redis))
        {
            yield return "Cluster:Redis is '', but Cluster:Provider is Redis; it must be a connection string, for example localhost:6379.";
        }
        else if (!IsConnectionString(options.Redis))
        {
            // The value is not repeated, because it can contain a password.
            yield return "Cluster:Redis is not a connection string; it must name a server and options, for example localhost:6379,password=secret.";
        }
    }

    private SessionPersistence Persistence => values.GetValue("Sessions:Persistence", SessionPersistence.Auto);

    private static bool IsConnectionString(string value)
    {
        try
        {
            return ConfigurationOptions.Parse(value).EndPoints.Count > 0;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
