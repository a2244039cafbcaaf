using System.Globalization;
using System.Text.RegularExpressions;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.Tests.Deploy;

/// <summary>Holds <c>deploy/compose.yaml</c> and the nginx template beside it against the server.</summary>
public sealed partial class ComposeTests
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);
    private static readonly YamlValue Compose = Assert.Single(YamlValue.Read("deploy/compose.yaml"));
    private static readonly string Folder = Path.Combine(RepositoryFolder.Path, "deploy");

    public static TheoryData<string> Nodes => ["node-a", "node-b"];

    internal static YamlValue Service(string name) => Compose["services"][name];

    [Theory]
    [MemberData(nameof(Nodes))]
    public void EnvironmentVariables_AreKeysOfTheServer_WithValuesThatItTakes(string node) => Settings(node).AssertValid();

    [Theory]
    [MemberData(nameof(Nodes))]
    public void GracePeriod_IsEnoughForTheDrainAndTheStop(string node)
    {
        var grace = TimeSpan.FromSeconds(int.Parse(Service(node)["stop_grace_period"].Text.TrimEnd('s'), CultureInfo.InvariantCulture));

        Assert.InRange(grace, Settings(node).LongestStop + Margin, Settings(node).LongestStop + (2 * Margin));
    }

    [Theory]
    [MemberData(nameof(Nodes))]
    public void Node_IsBuiltFromTheDockerfile_AndStartedAgain(string node)
    {
        Assert.True(File.Exists(Path.Combine(Folder, Service(node)["build"].Text, "Dockerfile")));
        Assert.Equal("unless-stopped", Service(node)["restart"].Text);
    }

    [Fact]
    public void Nodes_UseTheRedisOfTheFile_WhichKeepsWhatItAccepts()
    {
        var command = Service("redis")["command"].Items.Select(part => part.Text).ToArray();

        Assert.Equal(["redis-server", "--appendonly", "yes", "--appendfsync", "always"], command);
        Assert.Equal("redis:/data", Assert.Single(Service("redis")["volumes"].Items).Text);
        Assert.NotNull(Compose["volumes"].Find("redis"));
        Assert.All(Nodes, node => Assert.Equal("redis:6379", Settings(node.Data)["Cluster:Redis"]));
    }

    [Fact]
    public void Proxy_HasItsTemplate_WithEveryVariable_AndTheNodesAndPortsOfTheFile()
    {
        var proxy = Service("proxy");
        var mount = Assert.Single(proxy["volumes"].Items).Text.Split(':');
        var template = File.ReadAllText(Path.Combine(Folder, mount[0]));
        var variables = proxy["environment"].Fields.ToDictionary(variable => variable.Key, variable => variable.Value.Text);

        Assert.Equal(variables.Keys.Order(), Variable().Matches(template).Select(match => match.Groups["name"].Value).Distinct().Order());
        Assert.Equal(("node-a:8080", "node-b:8080"), (variables["NODE_A"], variables["NODE_B"]));
        Assert.Contains(8080, ImageFacts.Ports);
        Assert.Equal($"127.0.0.1:8080:{variables["LISTEN"]}", Assert.Single(proxy["ports"].Items).Text);
    }

    private static DeploySettings Settings(string node) => new(
        [.. Service(node)["command"].Items.Select(argument => argument.Text)],
        Service(node)["environment"].Fields.Select(variable => KeyValuePair.Create(variable.Key, variable.Value.Text)));

    [GeneratedRegex(@"\$\{(?<name>\w+)\}")]
    private static partial Regex Variable();
}
