using System.Reflection;

namespace OrleansSessions.Server;

/// <summary>The version of this executable, without the commit hash.</summary>
internal static class ServerVersion
{
    public static string Text { get; } =
        typeof(ServerVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
