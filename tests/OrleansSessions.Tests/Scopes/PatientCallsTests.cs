using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Scopes;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

public sealed class PatientCallsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly PatientCalls _calls;
    private readonly List<string> _log = [];

    public PatientCallsTests() => _calls = new(_time, _ => _log.Add("failed"), () => _log.Add("answered"));

    [Fact]
    public async Task KeyThatFails_IsNotCalledForAWhile_AndOthersAre()
    {
        Assert.False(await FailAsync("bad"));
        Assert.False(await AnswerAsync("bad"));
        Assert.True(await AnswerAsync("good"));

        _time.Advance(PatientCalls.Pause);
        Assert.True(await AnswerAsync("bad"));
        Assert.Equal(["failed", "answered"], _log);
    }

    [Fact]
    public async Task ManyKeysThatFail_AreOneOutage_InWhichNoOtherKeyIsCalled()
    {
        for (var i = 0; i < PatientCalls.MaxFailed; i++)
        {
            Assert.True(await AnswerAsync("good"));
            await FailAsync($"bad-{i}");
        }

        Assert.False(await AnswerAsync("good"));
        _time.Advance(PatientCalls.Pause);
        Assert.True(await AnswerAsync("good"));
        Assert.Equal(["failed"], _log);
    }

    [Fact]
    public async Task KeyThatIsNotCalledAgain_IsNoPartOfTheOutage_AfterAMinute()
    {
        await FailAsync("bad");
        _time.Advance(TimeSpan.FromSeconds(59));
        await AnswerAsync("good");
        Assert.Equal(["failed"], _log);

        _time.Advance(TimeSpan.FromSeconds(1));
        await AnswerAsync("good");
        Assert.Equal(["failed", "answered"], _log);
    }

    [Fact]
    public async Task CallThatDoesNotAnswer_IsNotWaitedFor()
    {
        var reply = _calls.TryAsync("slow", () => new TaskCompletionSource<string>().Task);
        _time.Advance(PatientCalls.Patience);

        Assert.Null(await reply);
    }

    private async Task<bool> AnswerAsync(string key) => await _calls.TryAsync(key, () => Task.FromResult("yes")) is not null;

    private async Task<bool> FailAsync(string key) => await _calls.TryAsync(key, () => Task.FromException<string>(new TimeoutException())) is not null;
}
