using OrleansSessions.Grains.Scopes;
using OrleansSessions.Scopes;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

public sealed class ScopeIndexTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Retention = TimeSpan.FromHours(1);

    private readonly ScopeIndex _index = new(3, Retention);

    [Fact]
    public void Add_UpToTheLimit_IsAllowed_AndTheNextIsRefused_ButAKnownOneIsNot()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.True(Add($"{(char)('a' + i)}", i));
        }

        Assert.False(Add("d", 3));
        Assert.True(Add("b", 5));
        Assert.Equal(["b", "c", "a"], Ids());
    }

    [Fact]
    public void Remove_MakesRoom()
    {
        Add("a", 0);
        Add("b", 1);
        Add("c", 2);

        Assert.True(Remove(["a", "unknown"], At(3)));
        Assert.False(Remove(["a"], At(3)));
        Assert.True(Add("d", 4));
    }

    [Fact]
    public void Question_OfTheSameInstant_IsTheLast()
    {
        Add("a", 0);
        Touch("a", 0);

        Assert.Equal("later", Assert.Single(_index.All).LastQuestion);
    }

    [Fact]
    public void Remove_OfWhatWasListed_LeavesASessionThatWasAskedAgain()
    {
        Add("a", 0);
        Add("b", 0);
        var listed = _index.List(new() { Limit = 10 }).Sessions;

        // The session was removed, and its id was used again before its entry could be removed. Clocks of silos differ, so the new entry can be the older one.
        Add("a", -1);
        Assert.True(IsChange(() => _index.Remove(RemoveSessionsRequest.For(listed), At(1))));

        Assert.Equal(["a"], Ids());
        Assert.True(Touch("a", 0.5));
        Assert.True(IsChange(() => _index.Remove(RemoveSessionsRequest.For(_index.List(new() { Limit = 10 }).Sessions), At(2))));
        Assert.Empty(Ids());
    }

    [Fact]
    public void EntriesPastTheRetention_GiveWay_AndOnlyIfThereIsNoRoom()
    {
        Add("a", 0);
        Add("b", 1);
        Add("c", 50);

        Assert.False(Add("d", 60));
        Assert.Equal(3, _index.Count);
        Assert.True(Add("d", 62));
        Assert.Equal(["d", "c"], Ids());
    }

    [Fact]
    public void EntryOfASessionThatIsRead_KeepsItsPlace_AndItsPositionInTheList()
    {
        Add("a", 0);
        Add("b", 1);
        Add("c", 2);

        Assert.True(Use("a", asked: 0, used: 50));
        Assert.False(Use("a", asked: 0, used: 50));
        Assert.True(Add("d", 63));

        Assert.Equal(["d", "a"], Ids());
        Assert.Equal(("why", At(50)), _index.All.Where(session => session.SessionId == "a").Select(session => (session.LastQuestion, session.UsedAt)).Single());
    }

    [Fact]
    public void UseAndQuestion_ThatArriveInEitherOrder_LeaveTheLaterOfBoth()
    {
        Add("a", 0);
        Add("b", 0);

        Touch("a", 20);
        Use("a", asked: 0, used: 30);
        Use("b", asked: 0, used: 30);
        Touch("b", 20);

        Assert.All(_index.All, session => Assert.Equal(("later", At(20), At(30)), (session.LastQuestion, session.UpdatedAt, session.UsedAt)));
    }

    [Fact]
    public void EntriesThatGiveWay_AreAChange_AlsoIfThereIsNoRoomThen()
    {
        // The limit was higher in an earlier activation.
        _index.Load(Enumerable.Range(0, 5).Select(i => ListedSession.Of($"s{i}", "why", At(i == 0 ? 0 : 50))));

        Assert.True(IsChange(() => Touch("new", 62)));
        Assert.Equal(4, _index.Count);
    }

    [Fact]
    public void DropUnused_LeavesWhatIsInUse_AndSaysHowLong()
    {
        Add("a", 0);
        Add("b", 10);
        Use("c", asked: 0, used: 20);

        Assert.Equal(TimeSpan.FromMinutes(20), _index.DropUnused(At(60)));
        Assert.Equal(TimeSpan.FromMinutes(10), _index.DropUnused(At(70)));
        Assert.Equal(["b", "c"], Ids());
        Assert.Equal(TimeSpan.Zero, _index.DropUnused(At(81)));
        Assert.Equal(0, _index.Count);
    }

    [Fact]
    public void Touch_MovesAnEntryToTheFront_AndALateOneDoesNot()
    {
        Add("a", 0);
        Add("b", 1);

        Assert.True(Touch("a", 2));
        Assert.False(Touch("a", 1));
        Assert.Equal(["a", "b"], Ids());
    }

    [Fact]
    public void Touch_BringsBackAnEntryThatWasLost_ButNoneThatWasRemovedLater()
    {
        Assert.True(Touch("a", 0));
        Remove(["a"], At(1));

        Assert.False(Touch("a", 1));
        Assert.True(Touch("a", 1.5));
        Assert.Equal(["a"], Ids());
    }

    [Fact]
    public void Touch_NeverExceedsTheLimit()
    {
        for (var i = 0; i < 10; i++)
        {
            Touch($"s{i}", i);
        }

        Assert.Equal(3, _index.Count);
    }

    [Fact]
    public void List_GivesPages_WithoutAGapOrARepeat_AlsoAmongEntriesOfTheSameTime()
    {
        var index = new ScopeIndex(100, Retention);
        for (var i = 0; i < 25; i++)
        {
            index.TryAdd(ListedSession.Of($"s{i:00}", "why", At(i / 5)), At(i / 5));
        }

        var listed = new List<ListedSession>();
        SessionList page;
        do
        {
            page = index.List(new() { Limit = 7, AfterUpdatedAt = listed.LastOrDefault()?.UpdatedAt, AfterSessionId = listed.LastOrDefault()?.SessionId });
            listed.AddRange(page.Sessions);
            Assert.Equal(listed.Count < 25, page.HasMore);
        }
        while (page.HasMore);

        Assert.Equal(
            index.All.OrderByDescending(session => session.UpdatedAt).ThenBy(session => session.SessionId, StringComparer.Ordinal), listed);
    }

    [Theory]
    [InlineData(119, 119)]
    [InlineData(120, 120)]
    [InlineData(121, 120)]
    public void Entry_HasTheStartOfItsQuestion(int length, int expected) =>
        Assert.Equal(new string('x', expected), ListedSession.Of("s", new string('x', length), Start).LastQuestion);

    [Fact]
    public void Entry_NeverEndsWithHalfASurrogatePair()
    {
        var question = new string('x', 119) + "😀 and more";

        Assert.Equal(new string('x', 119), ListedSession.Of("s", question, Start).LastQuestion);
        Assert.EndsWith("😀", ListedSession.Of("s", question[1..], Start).LastQuestion, StringComparison.Ordinal);
    }

    private static DateTimeOffset At(double minutes) => Start + TimeSpan.FromMinutes(minutes);

    private bool Add(string id, double minutes) => _index.TryAdd(ListedSession.Of(id, "why", At(minutes)), At(minutes));

    private bool Touch(string id, double minutes) => IsChange(() => _index.Touch(ListedSession.Of(id, "later", At(minutes)), At(minutes)));

    private bool Use(string id, double asked, double used) =>
        IsChange(() => _index.Touch(ListedSession.Of(id, "why", At(asked)) with { UsedAt = At(used) }, At(used)));

    private bool IsChange(Action action)
    {
        var changes = _index.Changes;
        action();
        return _index.Changes != changes;
    }

    private bool Remove(string[] ids, DateTimeOffset now) => IsChange(() => _index.Remove(new() { SessionIds = ids }, now));

    private string[] Ids() => [.. _index.List(new() { Limit = 100 }).Sessions.Select(session => session.SessionId)];
}
