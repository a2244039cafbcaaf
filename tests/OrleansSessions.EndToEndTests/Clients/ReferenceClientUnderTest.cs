using System.Net.WebSockets;
using System.Text.Json;
using System.Threading.Channels;
using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Wire;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The test kit's client behind the lines of the conformance tool. It also holds each frame of the server against the protocol.</summary>
internal sealed class ReferenceClientUnderTest : IClientUnderTest
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Channel<Frame> _commands = Channel.CreateBounded<Frame>(1_000);
    private readonly Channel<Frame> _lines = Channel.CreateBounded<Frame>(10_000);
    private readonly Dictionary<string, string> _shown = [];
    private readonly HashSet<string> _accepted = [];
    private readonly HashSet<string> _over = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;
    private ReferenceClient? _client;

    /// <summary>The client has no locks, so what it does is scheduled one at a time.</summary>
    public ReferenceClientUnderTest() => _running = Task.Factory.StartNew(
        RunAsync, CancellationToken.None, TaskCreationOptions.None, new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler).Unwrap();

    public string Remarks => "";

    public Task SendAsync(string line) => _commands.Writer.WriteAsync(Frame.Parse(line)).AsTask();

    public void EndInput() => _commands.Writer.TryComplete();

    public async ValueTask<Frame?> NextAsync(CancellationToken cancellationToken) =>
        await _lines.Reader.WaitToReadAsync(cancellationToken) && _lines.Reader.TryRead(out var line) ? line : null;

    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken);
        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task RunAsync()
    {
        try
        {
            // 1. The first line says where to connect.
            var connect = await _commands.Reader.ReadAsync(_end.Token);
            var (url, session) = (connect.Text("url"), connect.Text("session"));
            _client = new(query => new UriBuilder($"{url!.TrimEnd('/')}/ws/{session}") { Scheme = "ws", Query = query }.Uri);
            await ConnectAsync(_client, "connecting");

            // 2. Frames and lines, whichever comes first.
            Task<JsonElement>? frame = null;
            var command = NextCommandAsync();
            while (true)
            {
                frame ??= _client.PumpAsync();
                await Task.WhenAny(frame, command);
                if (frame.IsCompleted)
                {
                    await TakeAsync(_client, frame);
                    frame = null;
                }

                if (!command.IsCompleted)
                {
                    continue;
                }

                if (await command is not { } line || line.Text("do") == "close")
                {
                    await _client.Socket.CloseAsync();
                    await WriteAsync(new { @event = "stopped", reason = "closed", message = "Closed by the caller." });
                    return;
                }

                await DoAsync(_client, line);
                command = NextCommandAsync();
            }
        }
        catch (Exception fault) when (!_end.IsCancellationRequested)
        {
            await WriteAsync(new { @event = "error", message = fault.ToString() });
        }
        finally
        {
            _lines.Writer.TryComplete();
        }
    }

    private async Task ConnectAsync(ReferenceClient client, string state)
    {
        await WriteAsync(new { @event = "state", state });
        while (true)
        {
            try
            {
                await client.ConnectAsync();
                break;
            }
            catch (Exception drop) when (drop is SocketEndedException or WebSocketException)
            {
                await Task.Delay(Pause, TimeProvider.System, _end.Token);
            }
        }

        await ShowAsync(client);
        await WriteAsync(new { @event = "state", state = "live" });
    }

    private async Task TakeAsync(ReferenceClient client, Task<JsonElement> frame)
    {
        try
        {
            var taken = await frame;
            if (taken.Type() == "error")
            {
                await WriteAsync(new
                {
                    @event = "refused",
                    id = taken.Text("question_id"),
                    code = taken.Text("code"),
                    message = taken.Text("message"),
                    active_question_id = taken.Text("active_question_id"),
                    active_for_ms = taken.Number("active_for_ms"),
                });
            }

            await ShowAsync(client);
        }
        catch (SocketEndedException)
        {
            await client.DropAsync();
            await ConnectAsync(client, "reconnecting");
        }
    }

    private static async Task DoAsync(ReferenceClient client, Frame line)
    {
        try
        {
            await (line.Text("do") switch
            {
                "ask" => client.AskAsync(line.Text("question")!, line.Text("if_busy"), line.Text("id")),
                "cancel" => client.Socket.CancelAsync(line.Text("id")),
                var other => throw new InvalidOperationException($"The reference client does not know '{other}'."),
            });
        }
        catch (WebSocketException)
        {
            // The connection is gone, which the next frame tells. The question is sent again then.
        }
    }

    private async Task<Frame?> NextCommandAsync() => await _commands.Reader.WaitToReadAsync(_end.Token) && _commands.Reader.TryRead(out var line) ? line : null;

    /// <summary>Writes what has become different for each question.</summary>
    private async Task ShowAsync(ReferenceClient client)
    {
        foreach (var question in client.Questions.Values.Where(question => !_over.Contains(question.Id)))
        {
            var (id, text, shown) = (question.Id, question.Answer.ToString(), _shown.GetValueOrDefault(question.Id, ""));
            if (question is { IsMine: true, IsAccepted: true } && _accepted.Add(id))
            {
                await WriteAsync(new { @event = "accepted", id, position = 0 });
            }

            if (!text.StartsWith(shown, StringComparison.Ordinal))
            {
                await WriteAsync(new { @event = "restarted", id });
                shown = "";
            }

            if (text.Length > shown.Length)
            {
                await WriteAsync(new { @event = "text", id, text = text[shown.Length..] });
            }

            _shown[id] = text;
            if (question.Status is { } status)
            {
                _over.Add(id);
                await WriteAsync(new { @event = "ended", id, status, reason = question.End?.Text("reason"), text });
            }
        }
    }

    private Task WriteAsync(object line) => _lines.Writer.WriteAsync(Frame.Parse(JsonSerializer.Serialize(line))).AsTask();
}
