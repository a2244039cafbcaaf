using Microsoft.Extensions.AI;
using OrleansSessions.Client;
using OrleansSessions.Client.ChatClient.Answers;
using Xunit;

namespace OrleansSessions.Tests.Client.ChatClients;

public sealed class CallerTextTests
{
    [Theory]
    [InlineData(new[] { "one 😀", "two" }, new[] { "one 😀two three" }, " three")]
    [InlineData(new[] { "one ", "two" }, new[] { "o", "ne tw", "o", "", " three" }, " three")]
    [InlineData(new[] { "one " }, new[] { "one " }, "")]
    [InlineData(new string[0], new[] { "one " }, "one ")]
    public void AnswerThatBeginsAgainWithTheSameText_ReturnsOnlyWhatIsNew(string[] given, string[] again, string expected)
    {
        var text = new CallerText(TextPrefix.Empty);
        Assert.Equal(given, given.Select(text.Take));

        text.Restart();

        Assert.Equal(expected, string.Concat(again.Select(text.Take)));
        Assert.False(text.IsBehind);
        Assert.Equal(TextPrefix.Empty.Append(string.Concat(again)), text.Given);
    }

    [Theory]
    [InlineData("one ", "two three")]
    [InlineData("abc", "ab😀")]
    public void AnswerThatBeginsAgainWithAnotherText_IsNoticed(string given, string again)
    {
        var text = new CallerText(TextPrefix.Empty.Append(given));
        text.Restart();

        Assert.Null(text.Take(again));
    }

    [Fact]
    public void AnswerThatBeginsAgain_AndIsShorter_StaysBehind()
    {
        var text = new CallerText(TextPrefix.Empty.Append("one two"));
        text.Restart();

        Assert.Equal("", text.Take("one"));
        Assert.True(text.IsBehind);
    }

    [Fact]
    public void Token_SurvivesBytes_AndAnythingElseIsNone()
    {
        var position = new AnswerPosition { Session = "s", QuestionId = "q", Epoch = "e1", Seq = 7, Deltas = 2 };
        var token = new AnswerToken(position, TextPrefix.Empty.Append("héllo"));

        var read = AnswerToken.Of(ResponseContinuationToken.FromBytes(token.ToBytes()), "options");

        Assert.Equal((position with { Bytes = 6 }, token.Given), (read.Position, read.Given));
        foreach (var other in (byte[][])[[], [0xff, 0xfe], "1 zz s/q/e1/7/2/6"u8.ToArray(), "1 0a s/q"u8.ToArray(), "2 0a s/q/e1/7/2/6"u8.ToArray()])
        {
            Assert.Throws<ArgumentException>("options", () => AnswerToken.Of(ResponseContinuationToken.FromBytes(other), "options"));
        }
    }
}
