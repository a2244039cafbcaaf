using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Contracts;

public sealed class SessionKeyTests
{
    [Fact]
    public void ASessionWithoutAnIdentity_HasAnEmptyScope() => Assert.Equal("/abc", SessionKey.Of(SessionScope.Anonymous, "abc"));

    [Fact]
    public void AScope_IsTheHashOfIssuerAndSubject_AndStaysSo()
    {
        var scope = SessionScope.Of("https://issuer.example", "ann/ä?");

        Assert.Equal("s.BIyp7uVS7zsfa6q5Yqy0w2XE55Mnbg0sw25kOaNXZiQ", scope);
        Assert.Equal($"{scope}/abc", SessionKey.Of(scope, "abc"));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("s.BIyp7uVS7zsfa6q5Yqy0w2XE55Mnbg0sw25kOaNXZiQ", true)]
    [InlineData("s.BIyp7uVS7zsfa6q5Yqy0w2XE55Mnbg0sw25kOaNXZi", false)]
    [InlineData("s.BIyp7uVS7zsfa6q5Yqy0w2XE55Mnbg0sw25kOaNXZi=", false)]
    [InlineData("s.BIyp7uVS7zsfa6q5Yqy0w2XE55Mnbg0sw25kOaNXZi\n", false)]
    [InlineData("s.BIyp7uVS7zsfa6q5Yqy0w2XE 5Mnbg0sw25kOaNXZiQ", false)]
    [InlineData("s.BIyp7uVS7zsfa6q5Yqy0w2XE+5Mnbg0sw25kOaNXZiQ", false)]
    [InlineData("t.BIyp7uVS7zsfa6q5Yqy0w2XE55Mnbg0sw25kOaNXZiQ", false)]
    public void AScope_HasNoCharacterThatAHashCannotHave(string scope, bool isValid) => Assert.Equal(isValid, SessionScope.IsValid(scope));

    [Fact]
    public void TwoSubjects_HaveTwoScopes() => Assert.NotEqual(SessionScope.Of("i", "a"), SessionScope.Of("i", "b"));
}
