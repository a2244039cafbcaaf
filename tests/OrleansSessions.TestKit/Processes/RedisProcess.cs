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

/// <summary>An empty Redis server on loopback that writes nothing to disk.</summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private static readonly TimeSpan RestorePatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private static readonly Lock RestoreGate = new();
    private static Task? _restored;

    private readonly RedisTls? _tls;
    private readonly int _port;
    private readonly string? _folder;
    private ChildProcess _process;

    private RedisProcess(ChildProcess process, int port, RedisTls? tls, string? folder)
    {
        (_process, _port, _tls, _folder) = (process, port, tls, folder);
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
    /// <param name="folder">If not null, each write is in a file there before its reply, so that <see cref="RestartAsync"/> finds it. Only <see cref="RedisFlavour.RedisServer"/>.</param>
    public static async Task<RedisProcess> StartAsync(RedisFlavour flavour, RedisTls? tls = null, string? folder = null)
    {
        if (flavour == RedisFlavour.Garnet)
        {
            await RestoreOnceAsync();
        }

        var port = FreePort.Take();
        var process = Launch(flavour, port, tls, folder);
        try
        {
            await process.UntilAsync(() => AnswersAsync(port, tls), $"port {port} answers PING", StartPatience);
            return new RedisProcess(process, port, tls, folder);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the server while others still use it.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Lets the server hang: its connections stay open and silent.</summary>
    public void Freeze() => _process.Freeze();

    public void Thaw() => _process.Thaw();

    /// <summary>Starts a server that was killed again, with the same port and what is in its folder. Returns once it answers.</summary>
    public async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = Launch(RedisFlavour.RedisServer, _port, _tls, _folder);
        await _process.UntilAsync(() => AnswersAsync(_port, _tls), $"port {_port} answers PING", StartPatience);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static ChildProcess Launch(RedisFlavour flavour, int port, RedisTls? tls, string? folder)
    {
        var number = port.ToString(CultureInfo.InvariantCulture);
        return flavour == RedisFlavour.RedisServer
            ? ChildProcess.Start(
                "redis-server", ProgramPath.Find("redis-server")!,
                [.. tls?.Arguments(number) ?? ["--port", number], "--bind", "127.0.0.1", "--save", "", .. Keeping(folder)])
            : ChildProcess.Start(
                "garnet-server", ChildProcess.DotnetPath,
                ["tool", "run", "garnet-server", "--", "--lua", "--port", number, "--bind", "127.0.0.1", "--memory", "128m", "--index", "16m"],
                folder: RepositoryFolder.Path);
    }

    private static string[] Keeping(string? folder) =>
        folder is null ? ["--appendonly", "no"] : ["--appendonly", "yes", "--appendfsync", "always", "--dir", folder];

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
