using OrleansSessions.Server;
using OrleansSessions.Server.Observability;
using Xunit;

namespace OrleansSessions.Tests.Deploy;

/// <summary>Holds <c>deploy/kubernetes.yaml</c> against the server.</summary>
public sealed class KubernetesTests
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);
    private static readonly IReadOnlyList<YamlValue> Documents = YamlValue.Read("deploy/kubernetes.yaml");
    private static readonly YamlValue Deployment = Documents.Single(document => document["kind"].Text == "Deployment");
    private static readonly YamlValue Pod = Deployment["spec/template/spec"];
    private static readonly YamlValue Server = Assert.Single(Pod["containers"].Items);
    private static readonly DeploySettings Settings = new([.. Server["args"].Items.Select(argument => argument.Text)], Environment());

    [Fact]
    public void EnvironmentVariables_AreKeysOfTheServer_WithValuesThatItTakes() => Settings.AssertValid();

    [Fact]
    public void Secrets_AreNotInTheFile()
    {
        string[] secret = ["Cluster__Redis", "Auth__Jwt__Keys__main"];

        Assert.All(secret, name => Assert.NotEmpty(Variable(name)["valueFrom/secretKeyRef/name"].Text));
        Assert.Equal("status.podIP", Variable("Cluster__AdvertisedAddress")["valueFrom/fieldRef/fieldPath"].Text);
        Assert.Null(Settings["Auth:AllowAnonymous"]);
    }

    [Fact]
    public void GracePeriod_IsEnoughForThePauseTheDrainAndTheStop()
    {
        var pause = Server["lifecycle/preStop/exec/command"].Items.Select(part => part.Text).ToArray();
        Assert.Equal("sleep", pause[0]);
        var needed = TimeSpan.FromSeconds(int.Parse(pause[1], provider: null)) + Settings.LongestStop;

        Assert.InRange(TimeSpan.FromSeconds(Pod["terminationGracePeriodSeconds"].Number), needed + Margin, needed + (2 * Margin));
        Assert.Equal(new ServerOptions().DrainTimeout, Settings.Server.DrainTimeout);
    }

    [Fact]
    public void Pause_IsLongerThanItTakesToSeeThatANodeIsNotReady()
    {
        var probe = Server["readinessProbe"];

        Assert.True(int.Parse(Server["lifecycle/preStop/exec/command"].Items[1].Text, provider: null) > probe["periodSeconds"].Number * probe["failureThreshold"].Number);
    }

    [Fact]
    public void Ports_AreThoseOfTheImage_AndTheManagementPort()
    {
        var ports = Ports();

        Assert.Equal(
            ImageFacts.Ports.Append(Settings.Server.ManagementPort!.Value).Order(), ports.Values.Order());
        Assert.Equal(
            (8080, 11111, 30000, Settings.Server.ManagementPort.Value), (ports["http"], ports["silo"], ports["orleans-gateway"], ports["management"]));
        var service = Documents.Single(document => document["kind"].Text == "Service");
        Assert.Equal("http", Assert.Single(service["spec/ports"].Items)["targetPort"].Text);
        var allowed = Documents.Single(document => document["kind"].Text == "NetworkPolicy")["spec/ingress"].Items;
        Assert.Equal(ports.Keys.Order(), allowed.SelectMany(rule => rule["ports"].Items).Select(port => port["port"].Text).Order());
        Assert.All(allowed, rule => Assert.Equal(
            rule.Find("from") is null, rule["ports"].Items.Select(port => port["port"].Text).All(port => port is "http" or "management")));
    }

    [Theory]
    [InlineData("startupProbe", HealthEndpoints.LivePath)]
    [InlineData("readinessProbe", HealthEndpoints.ReadyPath)]
    [InlineData("livenessProbe", HealthEndpoints.LivePath)]
    public void Probes_AskTheHealthEndpointsOfTheManagementPort(string probe, string path) =>
        Assert.Equal((path, "management"), (Server[probe]["httpGet/path"].Text, Server[probe]["httpGet/port"].Text));

    [Fact]
    public void Selectors_MatchThePods()
    {
        var labels = Labels(Deployment["spec/template/metadata/labels"]);
        Assert.NotEmpty(labels);
        var selectors = Documents.Select(document => document["kind"].Text switch
        {
            "Deployment" or "PodDisruptionBudget" => document["spec/selector/matchLabels"],
            "Service" => document["spec/selector"],
            "NetworkPolicy" => document["spec/podSelector/matchLabels"],
            var other => throw new NotSupportedException($"The test does not know {other}."),
        }).ToList();
        selectors.AddRange(Pod["topologySpreadConstraints"].Items.Select(item => item["labelSelector/matchLabels"]));

        Assert.All(selectors, selector => Assert.Equal(labels, Labels(selector)));
        Assert.Equal(4, Documents.Select(document => document["kind"].Text).Distinct().Count());
    }

    [Fact]
    public void NodesAreReplacedOneByOne_AndOnlyOnceTheNextOneIsReady()
    {
        Assert.Equal(3, Deployment["spec/replicas"].Number);
        Assert.Equal(
            (0, 1), (Deployment["spec/strategy/rollingUpdate/maxUnavailable"].Number, Deployment["spec/strategy/rollingUpdate/maxSurge"].Number));
        Assert.Equal(1, Documents.Single(document => document["kind"].Text == "PodDisruptionBudget")["spec/maxUnavailable"].Number);
    }

    [Fact]
    public void Container_RunsAsTheUserOfTheImage_AndWritesNothingButTemporaryFiles()
    {
        Assert.Equal("$APP_UID", ImageFacts.User);
        Assert.Equal(("true", ImageFacts.AppUid), (Pod["securityContext/runAsNonRoot"].Text, Pod["securityContext/runAsUser"].Number));
        Assert.Equal(
            ("false", "true"),
            (Server["securityContext/allowPrivilegeEscalation"].Text, Server["securityContext/readOnlyRootFilesystem"].Text));
        Assert.Equal("/tmp", Assert.Single(Server["volumeMounts"].Items)["mountPath"].Text);
        Assert.Equal(
            Pod["volumes"].Items.Select(volume => volume["name"].Text), Server["volumeMounts"].Items.Select(mount => mount["name"].Text));
    }

    [Fact]
    public void Image_IsTheOneThatComposeBuilds() =>
        Assert.Equal(ComposeTests.Service("node-a")["image"].Text, Server["image"].Text);

    private static Dictionary<string, int> Ports() =>
        Server["ports"].Items.ToDictionary(port => port["name"].Text, port => port["containerPort"].Number);

    private static YamlValue Variable(string name) => Server["env"].Items.Single(variable => variable["name"].Text == name);

    private static SortedDictionary<string, string> Labels(YamlValue labels) => new(labels.Fields.ToDictionary(label => label.Key, label => label.Value.Text));

    /// <summary>The variables, with examples of what comes from elsewhere.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Environment() => Server["env"].Items.Select(variable => KeyValuePair.Create(
        variable["name"].Text,
        variable.Find("value")?.Text ?? (variable["name"].Text == "Cluster__AdvertisedAddress" ? "10.1.2.3" : "from-a-secret-of-more-than-32-bytes")));
}
