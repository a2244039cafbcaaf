using System.Net;
using OrleansSessions.Client;
using OrleansSessions.Client.Connections;
using OrleansSessions.Client.Http;
using Xunit;

namespace OrleansSessions.Tests.Client;

/// <summary>When a client connects, where, and why it stops.</summary>
public sealed class ConnectionRulesTests
{
    [Theory]
    [InlineData(1000, null, SessionStopReason.Ended)]
    [InlineData(1003, null, SessionStopReason.Protocol)]
    [InlineData(1006, null, null)]
    [InlineData(1012, null, null)]
    [InlineData(4001, "draining", null)]
    [InlineData(4050, null, null)]
    [InlineData(4100, null, SessionStopReason.Protocol)]
    [InlineData(4101, "unauthorized", SessionStopReason.Refused)]
    [InlineData(4104, null, SessionStopReason.SessionRemoved)]
    [InlineData(4126, "unsupported_protocol", SessionStopReason.Refused)]
    [InlineData(4199, null, SessionStopReason.Ended)]
    public void CloseCode_DecidesWhetherTheClientComesBack(int closeCode, string? code, SessionStopReason? reason)
    {
        var refusal = code is null ? null : new SessionRefusedException(code, "No.") { IsRetryable = code == "draining" };

        var stop = StopRules.Decide(new() { CloseCode = closeCode, Refusal = refusal, IsGreeted = code is null });

        Assert.Equal((reason, reason is null ? null : code), (stop?.Reason, stop?.Code));
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden, "forbidden", SessionStopReason.Refused, "forbidden")]
    [InlineData(HttpStatusCode.NotFound, "http", SessionStopReason.Refused, null)]
    [InlineData(HttpStatusCode.TooManyRequests, "connection_limit", null, null)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "http", null, null)]
    public void RefusedUpgrade_StopsTheClient_IfTheNextOneWouldBeRefusedToo(HttpStatusCode status, string code, SessionStopReason? reason, string? told)
    {
        var stop = StopRules.Decide(new() { Status = status, Refusal = new(code, "No.") });

        Assert.Equal((reason, told), (stop?.Reason, stop?.Code));
    }

    [Theory]
    [InlineData(1000, "session_busy", SessionStopReason.Ended, null)]
    [InlineData(1000, "token_expired", SessionStopReason.Ended, null)]
    [InlineData(4103, "session_removed", SessionStopReason.Refused, null)]
    [InlineData(4103, "forbidden", SessionStopReason.Refused, "forbidden")]
    [InlineData(4104, "session_removed", SessionStopReason.SessionRemoved, "session_removed")]
    [InlineData(4100, "bad_request", SessionStopReason.Protocol, "bad_request")]
    public void LastError_OfAConnectionThatServed_IsTold_IfItExplainsTheClose(int closeCode, string last, SessionStopReason reason, string? told)
    {
        var end = new LinkEnd { CloseCode = closeCode, CloseReason = "Bye.", Refusal = new(last, "No."), IsGreeted = true };

        Assert.False(StopRules.NeedsToken(end), "The close has another cause.");
        var stop = StopRules.Decide(end);
        Assert.Equal((reason, told, told is null ? "Bye." : "No."), (stop?.Reason, stop?.Code, stop?.Message));
    }

    [Fact]
    public void BackOff_DoublesItsBound_StartsAgainAfterASteadyConnection_AndHeedsAdvice()
    {
        var backOff = new BackOff(() => 1) { Min = TimeSpan.FromMilliseconds(100), Max = TimeSpan.FromMilliseconds(350) };
        double Next(double openFor = 0, double? advised = null) =>
            backOff.Next(TimeSpan.FromSeconds(openFor), advised is { } seconds ? TimeSpan.FromSeconds(seconds) : null).TotalMilliseconds;

        Assert.Equal([100, 200, 350, 350], [Next(), Next(), Next(9.9), Next()]);
        Assert.Equal([100, 200, 5_000], [Next(10), Next(), Next(advised: 5)]);
    }

    [Theory]
    [InlineData("http://host:5080", "ws://host:5080/ws/a:1?v=1&epoch=e1&after=7", "http://host:5080/v1/sessions/a:1/questions?limit=5")]
    [InlineData("wss://host/pre/?scope=s.1", "wss://host/pre/ws/a:1?scope=s.1&v=1&epoch=e1&after=7",
        "https://host/pre/v1/sessions/a:1/questions?scope=s.1&limit=5")]
    public void Addresses_KeepThePrefixAndTheQuery_OfTheServersAddress(string url, string socket, string api)
    {
        var addresses = new SessionAddresses(new(url), "a:1", new());

        Assert.Equal((new Uri(socket), new Uri(api)), (addresses.Socket("e1", 7), addresses.Api("/questions", "limit=5")));
    }

    [Theory]
    [InlineData("ftp://host", "s", "/ws/{session}")]
    [InlineData("http://host", "no spaces", "/ws/{session}")]
    [InlineData("http://host", "..", "/ws/{session}")]
    [InlineData("http://host", "s", "/ws")]
    public void Start_WithAnInvalidAddress_SendsNothing(string url, string session, string path) =>
        Assert.ThrowsAny<ArgumentException>(() => SessionClient.Start(new(url), session, new() { SocketPath = path }));
}
