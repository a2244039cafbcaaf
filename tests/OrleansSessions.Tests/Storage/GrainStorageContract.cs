using Orleans.Storage;
using Xunit;

namespace OrleansSessions.Tests.Storage;

/// <summary>What every grain storage promises, whatever is behind it. Each test uses grains of its own.</summary>
public abstract class GrainStorageContract
{
    private readonly string _key = Guid.NewGuid().ToString("N");

    protected abstract IGrainStorage Storage { get; }

    private Slot Slot(string suffix = "", string name = "thing") => new(Storage, Tests.Storage.Slot.Grain(_key + suffix), name);

    [Fact]
    public async Task Read_OfNothing_GivesANewState()
    {
        var slot = await Slot().ReadAsync();

        Assert.Equal(("new", null, false), (slot.Text, slot.ETag, slot.Exists));
    }

    [Fact]
    public async Task Read_GivesWhatWasWritten_WithItsETag()
    {
        var writer = Slot();
        await writer.WriteAsync("first");
        await writer.WriteAsync("second");

        var reader = await Slot().ReadAsync();

        Assert.Equal(("second", writer.ETag, true), (reader.Text, reader.ETag, reader.Exists));
    }

    [Fact]
    public async Task Write_GivesAnotherETagEachTime()
    {
        var slot = Slot();
        var seen = new HashSet<string?>();
        for (var i = 0; i < 5; i++)
        {
            await slot.WriteAsync("same");
            Assert.True(seen.Add(slot.ETag), slot.ETag);
        }

        Assert.DoesNotContain(null, seen);
    }

    [Fact]
    public async Task Write_WithoutETag_OverAState_IsAConflict_AndChangesNothing()
    {
        var owner = Slot();
        await owner.WriteAsync("kept");
        var other = Slot();

        await Assert.ThrowsAsync<InconsistentStateException>(() => other.WriteAsync("lost"));

        Assert.Equal(("kept", owner.ETag), ((await Slot().ReadAsync()).Text, (await Slot().ReadAsync()).ETag));
        Assert.Null(other.ETag);
    }

    [Fact]
    public async Task Write_WithAnEarlierETag_IsAConflict_AndTheOwnerGoesOn()
    {
        var owner = Slot();
        await owner.WriteAsync("first");
        var late = await Slot().ReadAsync();
        await owner.WriteAsync("second");

        await Assert.ThrowsAsync<InconsistentStateException>(() => late.WriteAsync("lost"));

        await owner.WriteAsync("third");
        Assert.Equal("third", (await Slot().ReadAsync()).Text);
    }

    [Fact]
    public async Task Write_WithTheETagOfAStateThatIsGone_IsAConflict()
    {
        var owner = Slot();
        await owner.WriteAsync("first");
        var late = await Slot().ReadAsync();
        await owner.ClearAsync();

        await Assert.ThrowsAsync<InconsistentStateException>(() => late.WriteAsync("lost"));

        Assert.False((await Slot().ReadAsync()).Exists);
    }

    [Fact]
    public async Task Write_ByManyWithOneETag_SucceedsOnce()
    {
        var owner = Slot();
        await owner.WriteAsync("start");
        var rivals = new List<Slot>();
        for (var i = 0; i < 20; i++)
        {
            rivals.Add(await Slot().ReadAsync());
        }

        var writes = rivals.Select((rival, i) => FaultOfAsync(rival.WriteAsync($"rival {i}"))).ToList();
        var faults = await Task.WhenAll(writes);

        var winner = Assert.Single(Enumerable.Range(0, rivals.Count), i => faults[i] is null);
        Assert.All(faults.OfType<Exception>(), fault => Assert.IsType<InconsistentStateException>(fault));
        Assert.Equal($"rival {winner}", (await Slot().ReadAsync()).Text);
    }

    [Fact]
    public async Task Write_ByManyWhereThereIsNothing_SucceedsOnce()
    {
        var writes = Enumerable.Range(0, 20).Select(i => FaultOfAsync(Slot().WriteAsync($"rival {i}"))).ToList();

        Assert.Single(await Task.WhenAll(writes), fault => fault is null);
    }

    [Fact]
    public async Task Clear_RemovesTheState_AndItCanBeWrittenAnew()
    {
        var slot = Slot();
        await slot.WriteAsync("first");

        await slot.ClearAsync();

        Assert.Equal(("new", false), (slot.Text, slot.Exists));
        Assert.False((await Slot().ReadAsync()).Exists);
        await Slot().WriteAsync("second");
        Assert.Equal("second", (await Slot().ReadAsync()).Text);
    }

    [Fact]
    public async Task Clear_WithAnEarlierETag_IsAConflict_AndChangesNothing()
    {
        var owner = Slot();
        await owner.WriteAsync("first");
        var late = await Slot().ReadAsync();
        await owner.WriteAsync("second");

        await Assert.ThrowsAsync<InconsistentStateException>(late.ClearAsync);

        Assert.Equal("second", (await Slot().ReadAsync()).Text);
    }

    [Fact]
    public async Task Clear_OfNothing_IsNoFault()
    {
        await Slot().ClearAsync();

        Assert.False((await Slot().ReadAsync()).Exists);
    }

    [Fact]
    public async Task States_OfOneGrain_AreKeptApartByName()
    {
        await Slot(name: "one").WriteAsync("1");
        await Slot(name: "one.more").WriteAsync("2");
        await Slot("one", name: "").WriteAsync("3");

        await (await Slot(name: "one.more").ReadAsync()).ClearAsync();

        Assert.Equal(("1", "3"), ((await Slot(name: "one").ReadAsync()).Text, (await Slot("one", name: "").ReadAsync()).Text));
        Assert.False((await Slot(name: "one.more").ReadAsync()).Exists);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("ä/ö ü")]
    [InlineData("日本語/🎈")]
    [InlineData("a'; DROP TABLE states; --")]
    [InlineData("line\nbreak\0and zero")]
    public async Task Keys_CanBeAnyText(string key)
    {
        await Slot(key).WriteAsync(key);
        await Slot(key + "2").WriteAsync("another");

        Assert.Equal(key, (await Slot(key).ReadAsync()).Text);
    }

    [Fact]
    public async Task States_CanBeLarge()
    {
        var text = string.Concat(Enumerable.Range(0, 300_000).Select(i => (char)('a' + (i % 26)))) + "🎈";
        var slot = Slot();
        await slot.WriteAsync(text);
        await slot.WriteAsync(text + text);

        Assert.Equal(text + text, (await Slot().ReadAsync()).Text);
    }

    [Fact]
    public async Task Grains_AtTheSameTime_DoNotDisturbEachOther()
    {
        var grains = Enumerable.Range(0, 100).Select(async i =>
        {
            var slot = Slot($"-{i}");
            for (var round = 0; round < 10; round++)
            {
                await slot.WriteAsync($"{i}: {round}");
            }

            return (await Slot($"-{i}").ReadAsync()).Text;
        }).ToList();

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}: 9"), await Task.WhenAll(grains));
    }

    private static async Task<Exception?> FaultOfAsync(Task write) => await Record.ExceptionAsync(() => write);
}
