using System.Text;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Gateways;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>A process with sockets dies without a word, in the middle of answers that others follow, too.</summary>
public sealed class LostGatewayTests
{
    private const int Sessions = 6;

    /// <summary>A piece that the stream delivers takes milliseconds. What took longer than this waited for the dead process.</summary>
    private static readonly TimeSpan LongestDelivery = TimeSpan.FromSeconds(2);

    /// <summary>The registry lists a process until its lease ends. Silos ask it each second.</summary>
    private static readonly TimeSpan Forgotten = SocketGatewayRegistry.Lease + TimeSpan.FromSeconds(5);

    /// <summary>A silo is declared dead after some seconds, and the process that it was in is forgotten with it.</summary>
    private static readonly TimeSpan ForgottenWithItsSilo = SocketGatewayRegistry.Lease / 2;

    /// <summary>Longer than a silo waits for a process that takes nothing, and shorter than a lease.</summary>
    private static readonly TimeSpan Hang = SocketGatewayRegistry.Lease / 2;

    // The process with the other clients must not repair anything: they follow the stream alone.
    private static readonly string[] WithoutRepair = ["SocketGateway:QuietSessionTimeout=00:05:00", "SocketGateway:SiloHeartbeatTimeout=00:05:00"];

    [Theory]
    [InlineData(RedisFlavour.RedisServer)]
    [InlineData(RedisFlavour.Garnet)]
    public async Task ASocketGatewayIsKilled_NoOneElseNotices_AndItsClientsGoOnElsewhere(RedisFlavour flavour)
    {
        // 1. Each session has an answer that has begun, a client at the process that is going to die, and one at another process.
        await using var nodes = await NodeSet.StartAsync(flavour);
        var silo = await nodes.AddAsync("Server:Role=Silo");
        var lost = await nodes.AddAsync("Server:Role=SocketGateway");
        var other = await nodes.AddAsync(["Server:Role=SocketGateway", .. WithoutRepair]);
        var sessions = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(number => Followed.OpenAsync($"lost-gateway-{number}", other, lost)));
        var (early, late) = (sessions[..(Sessions / 2)], sessions[(Sessions / 2)..]);
        try
        {
            await Task.WhenAll(sessions.Select(session => session.SendAsync()));

            // 2. It dies. Some of its clients come back at once, at the other process. Until the silo has forgotten it, it is sent everything, and that
            //    delays no one.
            lost.Kill();
            var killed = TimeProvider.System.GetTimestamp();
            await Task.WhenAll(early.Select(session => session.MoveAsync()));
            var isListed = true;
            while (isListed)
            {
                isListed = !silo.Output.Contains("is gone; nothing is sent to it any more", StringComparison.Ordinal);
                var slowest = (await Task.WhenAll(sessions.Select(session => session.SendAsync()))).Max();
                Assert.True(slowest < LongestDelivery, $"A piece took {slowest}.");
                Assert.True(TimeProvider.System.GetElapsedTime(killed) < Forgotten, $"The silo still sends to the dead process: {silo.Output}");
            }

            // 3. Nothing of it is left.
            Assert.Contains("did not renew its lease and is taken off the list", silo.Output, StringComparison.Ordinal);
            await Task.WhenAll(early.Select(session => session.CountAsync(2, TimeSpan.Zero)));
            await Task.WhenAll(late.Select(session => session.CountAsync(1, TimeSpan.Zero)));

            // 4. Its other clients go on elsewhere, too, with every event after their position.
            await Task.WhenAll(late.Select(session => session.MoveAsync()));
            await Task.WhenAll(late.Select(session => session.CountAsync(2, TimeSpan.Zero)));
            await Task.WhenAll(sessions.Select(session => session.FinishAsync()));
        }
        finally
        {
            foreach (var session in sessions)
            {
                await session.DisposeAsync();
            }
        }
    }

    [Theory]
    [InlineData(RedisFlavour.Garnet)]
    public async Task ANodeIsKilled_ItsSocketsAreNoLongerCounted_AsSoonAsItsSiloIsDead(RedisFlavour flavour)
    {
        await using var nodes = await NodeSet.StartAsync(flavour);
        var (node, lost) = (await nodes.AddAsync(), await nodes.AddAsync());
        await using var session = await Followed.OpenAsync("lost-node", node, lost);
        await session.SendAsync();
        await session.CountAsync(2, LongestDelivery);

        lost.Kill();

        await session.CountAsync(1, ForgottenWithItsSilo);
        await session.SendAsync();
        await session.MoveAsync();
        await session.FinishAsync();
    }

    [Theory]
    [InlineData(RedisFlavour.Garnet)]
    public async Task ASocketGatewayHangs_NoOneElseWaits_AndItsClientsGetEverythingWhenItGoesOn(RedisFlavour flavour)
    {
        await using var nodes = await NodeSet.StartAsync(flavour);
        await nodes.AddAsync("Server:Role=Silo");
        var hung = await nodes.AddAsync("Server:Role=SocketGateway");
        var other = await nodes.AddAsync(["Server:Role=SocketGateway", .. WithoutRepair]);
        await using var session = await Followed.OpenAsync("hung-gateway", other, hung);
        await session.SendAsync();

        hung.Freeze();
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < Hang)
        {
            var taken = await session.SendAsync();
            Assert.True(taken < LongestDelivery, $"A piece took {taken}.");
        }

        hung.Thaw();

        await session.FinishAsync();
    }

    /// <summary>A session with an answer that the test sends, a client that stays where it is, and one that has to move.</summary>
    private sealed class Followed : IAsyncDisposable
    {
        private readonly string _session;
        private readonly ServerProcess _home;
        private readonly ReferenceClient _staying;
        private readonly ReferenceClient _moving;
        private readonly StringBuilder _text = new();
        private ServerProcess _place;
        private ReferenceQuestion? _question;

        private Followed(string session, ServerProcess home, ServerProcess place)
        {
            (_session, _home, _place) = (session, home, place);
            _staying = new(query => home.Socket(session, query));
            _moving = new(query => _place.Socket(session, query));
        }

        public static async Task<Followed> OpenAsync(string session, ServerProcess home, ServerProcess place)
        {
            var followed = new Followed(session, home, place);
            await followed._staying.ConnectAsync();
            var question = followed._question = await followed._staying.AskAsync("What is lost?");
            await followed._staying.PumpUntilAsync(() => question.IsAccepted, "the question is accepted");
            await followed._moving.ConnectAsync();
            return followed;
        }

        /// <summary>Sends the next piece, and returns how long it took until the client that stays had it.</summary>
        public async Task<TimeSpan> SendAsync()
        {
            var piece = $"{_text.Length} ";
            var start = TimeProvider.System.GetTimestamp();
            await AnswerAsync(piece, isFinal: false);
            await _staying.PumpUntilAsync(() => _question!.Answer.Length == _text.Length, $"'{piece}'");
            return TimeProvider.System.GetElapsedTime(start);
        }

        public async Task CountAsync(int sockets, TimeSpan within)
        {
            var counted = -1L;
            await Eventually.TrueAsync(
                async () =>
                {
                    counted = (await _home.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).Body.Number("connections")!.Value;
                    return counted == sockets;
                },
                $"{_session} counts {sockets} sockets, it counted {counted}",
                within);
        }

        public async Task MoveAsync()
        {
            await _moving.DropAsync();
            _place = _home;
            await _moving.ConnectAsync();
            Assert.True(_moving.Resumed is { } resumed && resumed.Flag("recovered"), $"The client could not go on: {_moving.Resumed}");
        }

        public async Task FinishAsync()
        {
            await AnswerAsync("the end", isFinal: true);
            foreach (var client in new[] { _staying, _moving })
            {
                await client.PumpUntilAsync(() => client.Questions.TryGetValue(_question!.Id, out var seen) && seen.End is not null, "the end");
                Assert.Equal((_text.ToString(), "completed"), (client.Questions[_question!.Id].Answer.ToString(), client.Questions[_question.Id].Status));
            }

            Assert.Equal((_staying.Epoch, _staying.Last), (_moving.Epoch, _moving.Last));
        }

        public async ValueTask DisposeAsync()
        {
            await _staying.DisposeAsync();
            await _moving.DisposeAsync();
        }

        private async Task AnswerAsync(string piece, bool isFinal)
        {
            var reply = await _home.Http.AnswerAsync(_session, _question!.Id, _text.Length, piece, isFinal);
            Assert.True((int)reply.Status < 300, $"{piece} was not taken: {reply.Body}");
            _text.Append(piece);
        }
    }
}
