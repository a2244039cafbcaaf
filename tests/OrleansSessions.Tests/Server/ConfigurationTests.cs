using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Hosting;
using Xunit;

namespace OrleansSessions.Tests.Server;

public sealed class ConfigurationTests
{
    [Fact]
    public void Build_WithManyMistakes_ReportsThemAllAtOnce()
    {
        var errors = ErrorsOf(
            "--Sesions:X=1",
            "--Server:Role=Boss",
            "--Server:ManagementPort=0",
            "--Cluster:Provider=Redis",
            "--Cluster:SiloPort=70000",
            "--Sessions:IdelTimeout=00:01:00",
            "--Sessions:SilenceTimeout=60",
            "--Sessions:KeptQuestions=-2",
            "--SocketGateway:MaxConnections=0",
            "--SocketGateway:AllowedOrigins=https://a.example",
            "--Responder:Name=gpt",
            "--Responder:Echo:Delay=-00:00:01");

        string[] beginnings =
        [
            "Sesions is not a known section", "Server:Role is 'Boss'; it must be one of: All, Silo, SocketGateway", "Server:ManagementPort is 0",
            "Cluster:Redis is ''", "Cluster:SiloPort is 70000", "Sessions:IdelTimeout is not a known key; known keys are: ",
            "Sessions:SilenceTimeout is '60'; it must be a time", "Sessions:KeptQuestions is -2",
            "SocketGateway:MaxConnections is 0; it must be from 1 to 10000000",
            "SocketGateway:AllowedOrigins is 'https://a.example'; it must be a list", "Responder:Name is 'gpt'; it must be one of: echo, external, openai",
            "Responder:Echo:Delay is -00:00:01",
        ];
        Assert.All(beginnings, beginning => Assert.Single(errors, error => error.StartsWith(beginning, StringComparison.Ordinal)));
        Assert.Equal(beginnings.Length, errors.Count);
    }

    [Theory]
    [InlineData("--Server:Role=Silo", "Server:Role is Silo, but Cluster:Provider is Localhost")]
    [InlineData("--Sessions:Persistence=Stored", "Sessions:Persistence is Stored, but Cluster:Provider is Localhost")]
    [InlineData("--Sessions:File= ", "Sessions:File is ' '; it must name a file")]
    [InlineData("--Cluster:AdvertisedAddress=10.0.0.1", "Cluster:AdvertisedAddress is '10.0.0.1', but Cluster:Provider is Localhost")]
    [InlineData("--Cluster:ListenAddress=10.0.0.1", "Cluster:ListenAddress is '10.0.0.1', but Cluster:Provider is Localhost")]
    [InlineData("--Responder:Name=openai", "Responder:OpenAI:Model is ''")]
    public void Build_WithSectionsThatContradict_SaysWhich(string argument, string beginning) =>
        Assert.StartsWith(beginning, Assert.Single(ErrorsOf(argument)), StringComparison.Ordinal);

    [Fact]
    public void Build_WithAFileForManyProcesses_NamesBothKeys() => Assert.StartsWith(
        "Sessions:Persistence is File, but Cluster:Provider is Redis",
        Assert.Single(ErrorsOf("--Cluster:Provider=Redis", "--Cluster:Redis=localhost", "--Sessions:Persistence=File")),
        StringComparison.Ordinal);

    [Fact]
    public void Build_WithAPasswordInABrokenConnectionString_DoesNotRepeatIt()
    {
        var errors = ErrorsOf("--Cluster:Provider=Redis", "--Cluster:Redis=host:6379,password=hunter2,ssl=perhaps");

        Assert.DoesNotContain("hunter2", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Build_WithTakenPorts_NamesBothKeys()
    {
        using var first = Listen();
        using var second = Listen();
        var (siloPort, gatewayPort) = (Port(first), Port(second));

        var errors = ErrorsOf($"--Cluster:SiloPort={siloPort}", $"--Cluster:OrleansGatewayPort={gatewayPort}");

        Assert.Equal(
            [$"Cluster:SiloPort is {siloPort}; it cannot be used", $"Cluster:OrleansGatewayPort is {gatewayPort}; it cannot be used"],
            errors.Select(error => error[..error.IndexOf(" on ", StringComparison.Ordinal)]));
    }

    [Theory]
    [InlineData("--Cluster:AdvertisedAddress=203.0.113.7", "Cluster:AdvertisedAddress is '203.0.113.7'", "set Cluster:ListenAddress")]
    [InlineData("--Cluster:ListenAddress=203.0.113.7", "Cluster:ListenAddress is '203.0.113.7'", "0.0.0.0 for every interface")]
    [InlineData("--Cluster:ListenAddress=eth0", "Cluster:ListenAddress is 'eth0'", "it must be an IP address")]
    [InlineData("--Cluster:AdvertisedAddress=0.0.0.0", "Cluster:AdvertisedAddress is '0.0.0.0'", "set Cluster:ListenAddress")]
    public void Build_WithAnAddressOfAnotherMachine_NamesItsKeyOnce_AndWhatToSet(string argument, string beginning, string advice)
    {
        var error = Assert.Single(ErrorsOf(
            "--Cluster:Provider=Redis", "--Cluster:Redis=127.0.0.1:1", "--Cluster:SiloPort=0", "--Cluster:OrleansGatewayPort=0", argument));

        Assert.StartsWith(beginning, error, StringComparison.Ordinal);
        Assert.Contains(advice, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_FromTheFile_AreWeakerThanTheCommandLine()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write(
            "mine.json", """{ "Responder": { "Name": "external" }, "Sessions": { "SilenceTimeout": "00:00:07", "MaxQueuedQuestions": 3 } }""");

        await using var app = ServerBuilder.Build(["--config", file, "--Sessions:MaxQueuedQuestions=4"]);

        Assert.Equal("external", app.Configuration["Responder:Name"]);
        Assert.Equal("00:00:07", app.Configuration["Sessions:SilenceTimeout"]);
        Assert.Equal("4", app.Configuration["Sessions:MaxQueuedQuestions"]);
    }

    [Fact]
    public async Task AConnection_HoldsLittleThatIsNotRead()
    {
        await using var app = ServerBuilder.Build([]);

        Assert.Equal(64 * 1024, app.Services.GetRequiredService<IOptions<SocketTransportOptions>>().Value.MaxReadBufferSize);
    }

    [Fact]
    public void File_WithAnUnknownSection_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("mine.json", """{ "Responders": { "Name": "external" } }""");

        Assert.StartsWith("Responders is not a known section", Assert.Single(ErrorsOf("--config", file)), StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> ErrorsOf(params string[] args) =>
        Assert.Throws<ConfigurationErrorException>(() => ServerBuilder.Build(args)).Errors;

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        // Orleans' own listeners set this option too. Another listener with it would share this port without an error.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;
}
