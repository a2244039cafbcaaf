using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace OrleansSessions.TestKit.Processes;

/// <summary>The Redis implementation.</summary>
public enum RedisFlavour
{
    /// <summary>A .NET tool from NuGet, so it is available on every machine with the SDK.</summary>
    Garnet,

    /// <summary>Redis itself, if it is on the path.</summary>
    RedisServer,
}

/// <summary>A Redis server on loopback. It starts empty, and writes nothing to disk unless it has a folder.</summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private static readonly TimeSpan RestorePatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private static readonly Lock RestoreGate = new();
    private static Task? _restored;

    private readonly int _port;
    private readonly string? _folder;
    private ChildProcess _process;

    private RedisProcess(ChildProcess process, int port, RedisTls? tls, string? folder)
    {
        (_process, _port, _folder) = (process, port, folder);
        ConnectionString = tls is null ? $"127.0.0.1:{port}" : $"localhost:{port},ssl=true,password={tls.Password}";
    }

    /// <summary>The value for <c>Cluster:Redis</c>.</summary>
    public string ConnectionString { get; }

    /// <summary>The TCP port on loopback. A server that is started again keeps it.</summary>
    public int Port => _port;

    /// <summary>The reason why this flavour is not available here, or null.</summary>
    public static string? Missing(RedisFlavour flavour) =>
        flavour == RedisFlavour.RedisServer && ProgramPath.Find("redis-server") is null ? "redis-server is not on the path." : null;

    /// <param name="tls">If not null, the server takes only TLS and asks for a password. Only <see cref="RedisFlavour.RedisServer"/> can do that.</param>
    public static Task<RedisProcess> StartAsync(RedisFlavour flavour, RedisTls? tls = null) => StartAsync(flavour, tls, null);

    /// <summary>
    /// Starts Redis itself with an append-only file in this folder, which exists. The file is written before a command is answered, so a server
    /// that is killed and started again has lost nothing that it confirmed.
    /// </summary>
    public static Task<RedisProcess> StartInFolderAsync(string folder) => StartAsync(RedisFlavour.RedisServer, null, folder);

    private static async Task<RedisProcess> StartAsync(RedisFlavour flavour, RedisTls? tls, string? folder)
    {
        if (flavour == RedisFlavour.Garnet)
        {
            await RestoreOnceAsync();
        }

        var port = FreePort.Take();
        return new RedisProcess(await LaunchAsync(flavour, port, tls, folder), port, tls, folder);
    }

    /// <summary>Stops the server while others still use it.</summary>
    public void Kill() => _process.Kill();

    /// <inheritdoc cref="ChildProcess.Freeze"/>
    public void Freeze() => _process.Freeze();

    /// <inheritdoc cref="ChildProcess.Thaw"/>
    public void Thaw() => _process.Thaw();

    /// <summary>Starts a killed server again on the same port, with what its append-only file has.</summary>
    public async Task StartAgainAsync()
    {
        await _process.DisposeAsync();
        _process = await LaunchAsync(RedisFlavour.RedisServer, _port, null, _folder);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task<ChildProcess> LaunchAsync(RedisFlavour flavour, int port, RedisTls? tls, string? folder)
    {
        var process = Launch(flavour, port, tls, folder);
        try
        {
            await process.UntilAsync(() => AnswersAsync(port, tls), $"port {port} answers PING", StartPatience);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    private static ChildProcess Launch(RedisFlavour flavour, int port, RedisTls? tls, string? folder)
    {
        var number = port.ToString(CultureInfo.InvariantCulture);
        return flavour == RedisFlavour.RedisServer
            ? ChildProcess.Start(
                "redis-server", ProgramPath.Find("redis-server")!,
                [.. tls?.Arguments(number) ?? ["--port", number], "--bind", "127.0.0.1", "--save", "", .. Persistence(folder)])
            : ChildProcess.Start(
                "garnet-server", ChildProcess.DotnetPath,
                ["tool", "run", "garnet-server", "--", "--lua", "--port", number, "--bind", "127.0.0.1", "--memory", "128m", "--index", "16m"],
                folder: RepositoryFolder.Path);
    }

    private static string[] Persistence(string? folder) => folder is null ? ["--appendonly", "no"] : ["--appendonly", "yes", "--dir", folder];

    private static Task RestoreOnceAsync()
    {
        lock (RestoreGate)
        {
            return _restored ??= RestoreToolsAsync();
        }
    }

    private static async Task RestoreToolsAsync()
    {
        await using var restore = ChildProcess.Start(
            "dotnet tool restore", ChildProcess.DotnetPath, ["tool", "restore"], folder: RepositoryFolder.Path);
        if (await restore.ExitAsync(RestorePatience) != 0)
        {
            throw new InvalidOperationException($"The tools of .config/dotnet-tools.json could not be restored:\n{restore.Output}");
        }
    }

    private static async Task<bool> AnswersAsync(int port, RedisTls? tls)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            await using var stream = tls is null ? (Stream)client.GetStream() : await tls.OpenAsync(client.GetStream());
            await stream.WriteAsync("PING\r\n"u8.ToArray());
            var answer = new byte[7];
            await stream.ReadExactlyAsync(answer).AsTask().WaitAsync(TimeSpan.FromSeconds(2), TimeProvider.System);
            return Encoding.ASCII.GetString(answer) is "+PONG\r\n" or "-NOAUTH";
        }
        catch (Exception fault) when (fault is SocketException or IOException or TimeoutException or AuthenticationException)
        {
            return false;
        }
    }
}
