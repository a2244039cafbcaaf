using Microsoft.AspNetCore.Http.Features;
using OrleansSessions.Server.Authentication;
using Xunit;

namespace OrleansSessions.Tests.Server;

public sealed class QueryTokensTests
{
    private static readonly (string, string) Socket = ("Upgrade", "websocket");

    [Theory]
    [InlineData("?access_token=T", "", "T")]
    [InlineData("?v=1&access_token=T&after=3", "?v=1&after=3", "T")]
    [InlineData("?access_token=T%2B%2F", "", "T+/")]
    [InlineData("?access%5Ftoken=T", "", "T")]
    [InlineData("?%61ccess%5ftoken=T&v=1", "?v=1", "T")]
    [InlineData("?ACCESS_token=T", "", "T")]
    [InlineData("?access_token=a&access_token=b", "", "-")]
    [InlineData("?access_token=a&access%5Ftoken=b&v=1", "?v=1", "-")]
    [InlineData("?access_token=", "", "-")]
    [InlineData("?access_token", "", "-")]
    [InlineData("?access_token=a%20b", "", "-")]
    [InlineData("?access_token=a%0D%0Ab", "", "-")]
    [InlineData("?access_token=%C3%A9", "", "-")]
    [InlineData("?v=1", "?v=1", null)]
    [InlineData("?my_access_token=T", "?my_access_token=T", null)]
    [InlineData("?q=access_token=T", "?q=access_token=T", null)]
    [InlineData("?", "?", null)]
    [InlineData("", "", null)]
    public void Token_LeavesTheAddress_AndBecomesTheHeader(string query, string expected, string? token)
    {
        var request = Remove(query, isAccepted: true, Socket);

        Assert.Equal((expected, $"/ws/s%20{expected}"), (request.QueryString, request.RawTarget));
        Assert.Equal(token is null ? "" : $"Bearer {token}", request.Headers.Authorization.ToString());
    }

    [Theory]
    [InlineData(true, "Upgrade", "WebSocket")]
    [InlineData(true, "Accept", "text/event-stream")]
    [InlineData(true, "Accept", "application/json, text/event-stream;q=0.5")]
    [InlineData(false, "Accept", "application/json")]
    [InlineData(false, "Upgrade", "h2c")]
    public void Token_IsUsedOnSocketsAndEventStreamsOnly_ButAlwaysRemoved(bool isUsed, string name, string value)
    {
        var request = Remove("?access_token=T", isAccepted: true, (name, value));

        Assert.Equal(("", isUsed ? "Bearer T" : ""), (request.QueryString, request.Headers.Authorization.ToString()));
    }

    [Fact]
    public void Token_IsNotUsed_WhereItIsNotAccepted_ButRemoved()
    {
        var request = Remove("?access_token=T", isAccepted: false, Socket);

        Assert.Equal(("", "/ws/s%20", 0), (request.QueryString, request.RawTarget, request.Headers.Authorization.Count));
    }

    [Theory]
    [InlineData("Authorization", "Bearer H")]
    [InlineData("Sec-WebSocket-Protocol", "sessions.v1.json, bearer.SA")]
    public void Header_WinsOverTheQuery(string name, string value)
    {
        var request = Remove("?access_token=T", isAccepted: true, Socket, (name, value));

        Assert.Equal(("", value), (request.QueryString, request.Headers[name].ToString()));
        Assert.DoesNotContain("T", request.Headers.Authorization.ToString(), StringComparison.Ordinal);
    }

    private static HttpRequestFeature Remove(string query, bool isAccepted, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestFeature { QueryString = query, RawTarget = "/ws/s%20" + query };
        foreach (var (name, value) in headers)
        {
            request.Headers[name] = value;
        }

        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(request);
        QueryTokens.Remove(features, isAccepted);
        return request;
    }
}
