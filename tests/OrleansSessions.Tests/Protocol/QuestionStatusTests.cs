using OrleansSessions.Protocol;
using Xunit;

namespace OrleansSessions.Tests.Protocol;

public sealed class QuestionStatusTests
{
    [Fact]
    public void EveryStatus_HasANameOfItsOwn()
    {
        var names = Enum.GetValues<QuestionStatus>().Select(status => status.ToWire()).ToList();
        Assert.Equal(names.Distinct(), names);
        Assert.DoesNotContain("open", names);
    }

    [Theory]
    [InlineData(QuestionStatus.Recovering, "recovering")]
    [InlineData(QuestionStatus.WaitingInput, "waiting_input")]
    [InlineData((QuestionStatus)10, "open")]
    [InlineData((QuestionStatus)(-1), "open")]
    public void AStatusOfALaterVersion_IsAnOpenOne(QuestionStatus status, string name)
    {
        Assert.False(status.IsFinal());
        Assert.Equal(name, status.ToWire());
    }
}
