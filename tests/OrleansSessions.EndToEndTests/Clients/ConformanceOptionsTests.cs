using OrleansSessions.Conformance;
using OrleansSessions.Conformance.Cases;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The command line of the conformance tool.</summary>
public sealed class ConformanceOptionsTests
{
    [Theory]
    [InlineData("'serve' is none of server, client and resume.", "serve")]
    [InlineData("'server' needs the address of one server.", "server")]
    [InlineData("'resume' needs the addresses of one or two servers.", "resume", "--", "node")]
    [InlineData("'client' needs the command of a client program after '--'.", "client")]
    [InlineData("'localhost:5080' is neither an option nor the http address of a server.", "server", "localhost:5080")]
    [InlineData("--patience is from 0.1 to 600 seconds, not 'long'.", "client", "--patience", "long", "--", "node")]
    [InlineData("--at-a-time is from 1 to 64, not '0'.", "client", "--at-a-time", "0", "--", "node")]
    [InlineData("--only needs a value.", "client", "--only")]
    public void Arguments_ThatAreNotValid_AreRefusedWithWhatIsWrong(string fault, params string[] args) =>
        Assert.Equal((null, fault), ConformanceOptions.Parse(args));

    [Theory]
    [InlineData(0.1, 60)]
    [InlineData(5, 60)]
    [InlineData(600, 7200)]
    public void Patience_AlsoDecidesHowLongACaseMayTake(double seconds, double caseSeconds) =>
        Assert.Equal(TimeSpan.FromSeconds(caseSeconds), new Patience(TimeSpan.FromSeconds(seconds)).CaseLimit);

    [Fact]
    public void Arguments_AfterTheDashes_AreTheCommand()
    {
        var (options, fault) = ConformanceOptions.Parse(["resume", "http://a:1", "http://b:2", "--only", "12.", "--", "node", "driver.js", "--only"]);

        Assert.Null(fault);
        Assert.Equal(["node", "driver.js", "--only"], options!.Command);
        Assert.Equal(["12."], options.Only);
        Assert.Equal([1, 2], options.Servers.Select(server => server.Port));
    }
}
