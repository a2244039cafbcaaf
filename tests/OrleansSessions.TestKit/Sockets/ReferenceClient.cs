using System.Text;
using System.Text.Json;
using Xunit.Sdk;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>The client's view of a question.</summary>
public sealed class ReferenceQuestion(string id)
{
    public string Id { get; } = id;

    public string? Text { get; set; }

    public bool IsMine { get; set; }

    public bool IsAccepted { get; set; }

    public bool IsCancelling { get; set; }

    /// <summary>The answer so far.</summary>
    public StringBuilder Answer { get; } = new();

    public int NextDelta { get; set; }

    /// <summary>The frame that ended the question, or null.</summary>
    public JsonElement? End { get; set; }

    public string? Status => End?.Text("status");

    /// <summary>
    /// True after the snapshot that answers a repeated ask. The snapshot can be ahead of this socket's position in the log:
    /// its events still arrive, each once, and contain no text that the snapshot does not have.
    /// </summary>
    public bool IsToldAhead { get; set; }
}

/// <summary>
/// The client that the protocol describes, without timers: it acts only when a test pumps it. It also checks the server on
/// every frame: numbers without gaps or repeats, only the end after <c>cancelling</c>, and counts that match the text.
/// </summary>
public sealed class ReferenceClient(Func<string, Uri> address) : IAsyncDisposable
{
    private readonly Dictionary<string, ReferenceQuestion> _questions = [];
    private CheckedSocket? _socket;
    private bool _isRewinding;
    private bool _isResuming;
    private int _nextId;

    public string? Epoch { get; private set; }

    public long Last { get; private set; }

    /// <summary>The last <c>resumed</c>, or null.</summary>
    public JsonElement? Resumed { get; private set; }

    /// <summary>The last <c>reconnect</c> of this connection, or null.</summary>
    public JsonElement? Reconnect { get; private set; }

    public IReadOnlyDictionary<string, ReferenceQuestion> Questions => _questions;

    public CheckedSocket Socket => _socket ?? throw new InvalidOperationException("The client is not connected.");

    /// <summary>Connects from its current position, and handles frames until it is live.</summary>
    public async Task ConnectAsync()
    {
        _isRewinding = false;
        Reconnect = null;
        _socket = await CheckedSocket.ConnectAsync(address(Epoch is null ? "" : $"epoch={Epoch}&after={Last}"));
        var hello = await PumpAsync();
        Check(hello.Type() == "hello", "hello is the first frame", hello);
        if (_isResuming)
        {
            await PumpUntilAsync(() => !_isResuming, "resumed");
        }
    }

    /// <summary>Opens another connection, and closes this one when that is live.</summary>
    public async Task MoveAsync()
    {
        await using var old = Socket;
        await ConnectAsync();
        await old.CloseAsync();
    }

    /// <summary>Aborts the connection, including everything in progress.</summary>
    public async Task DropAsync()
    {
        Socket.Abort();
        await Socket.DisposeAsync();
        _socket = null;
    }

    /// <param name="id">The id of the question, or null for a new one.</param>
    public async Task<ReferenceQuestion> AskAsync(string text, string? ifBusy = null, string? id = null)
    {
        var question = Obtain(id ?? $"q-{++_nextId}-{Guid.NewGuid():N}"[..20]);
        question.IsMine = true;
        question.Text = text;
        await Socket.AskAsync(text, question.Id, ifBusy);
        return question;
    }

    public Task PumpUntilDoneAsync(ReferenceQuestion question) =>
        PumpUntilAsync(() => question.End is not null, $"the end of {question.Id}, which has {question.NextDelta} deltas");

    /// <summary>Handles frames until the condition is true.</summary>
    public async Task PumpUntilAsync(Func<bool> condition, string expectation)
    {
        while (!condition())
        {
            await PumpAsync(expectation);
        }
    }

    /// <summary>Handles one frame.</summary>
    public async Task<JsonElement> PumpAsync(string expectation = "any frame")
    {
        var frame = await Socket.NextAsync(expectation);
        switch (frame.Type())
        {
            case "hello": await OnHelloAsync(frame); break;
            case "resumed": await OnResumedAsync(frame); break;
            case "snapshot": OnSnapshot(frame); break;
            case "cancelling": OnCancelling(frame); break;
            case "reconnect": Reconnect = frame; break;
            case "ping": await OnPingAsync(frame); break;
            case "accepted" or "delta" or "done": OnEvent(frame); break;
        }

        return frame;
    }

    /// <summary>Rewinds the client, as if it had noticed a gap.</summary>
    public async Task RewindAsync(long afterSeq)
    {
        _isRewinding = true;
        await Socket.SendAsync($$"""{"type":"resume","epoch":"{{Epoch}}","after_seq":{{afterSeq}}}""");
    }

    public async ValueTask DisposeAsync()
    {
        if (_socket is not null)
        {
            await _socket.DisposeAsync();
        }
    }

    private async Task OnHelloAsync(JsonElement frame)
    {
        _isResuming = frame.Flag("resuming");
        Check(!_isResuming || Epoch is not null, "only a client with a position resumes", frame);
        if (!_isResuming)
        {
            Epoch = frame.Text("epoch");
            Last = frame.Number("seq")!.Value;
            await SettleAsync(frame);
        }
    }

    private async Task OnResumedAsync(JsonElement frame)
    {
        var isRecovered = frame.Flag("recovered");
        Check(!isRecovered || frame.Number("to_seq") == Last, $"I3: what was replayed ends at to_seq, and the position is {Last}", frame);
        _isRewinding = _isResuming = false;
        Resumed = frame;
        Epoch = frame.Text("epoch");
        Last = frame.Number("to_seq")!.Value;
        await SettleAsync(frame);
    }

    private async Task OnPingAsync(JsonElement frame)
    {
        var seq = frame.Number("seq")!.Value;
        // A real client would rewind. Here nothing was lost, so a number ahead of the position is a server error.
        Check(_isRewinding || _isResuming || seq <= Last, $"I3: a ping is not ahead of what was sent, which ends at {Last}", frame);
        await Socket.SendAsync($$"""{"type":"pong","seq":{{seq}}}""");
    }

    /// <summary>
    /// Sends missing questions again, including those that a server without a store has lost: a test is a program, which need not ask first.
    /// </summary>
    private async Task SettleAsync(JsonElement frame)
    {
        var open = frame.GetProperty("open").EnumerateArray().Select(question => question.Text("question_id")!).ToHashSet();
        foreach (var question in _questions.Values.Where(question => question.IsMine && question.End is null && !open.Contains(question.Id)))
        {
            await Socket.AskAsync(question.Text!, question.Id);
        }
    }

    private void OnEvent(JsonElement frame)
    {
        if (_isRewinding && !frame.Flag("replay"))
        {
            return;
        }

        var seq = frame.Number("seq")!.Value;
        var from = frame.Number("from_seq") ?? seq;
        var isAside = frame.Flag("duplicate") || (frame.Flag("replay") && seq <= Last);
        if (!isAside)
        {
            // A real client would rewind after a gap. Here nothing was lost, so a gap or a repeat is a server error.
            Check(from == Last + 1, $"I3: the next number is {Last + 1}", frame);
            Check(seq - from + 1 == (frame.Number("count") ?? 1), "a run's numbers match its count", frame);
            Last = seq;
        }

        Apply(Obtain(frame.Text("question_id")!), frame);
    }

    private void Apply(ReferenceQuestion question, JsonElement frame)
    {
        var isRepeat = frame.Flag("replay") || frame.Flag("duplicate");
        switch (frame.Type())
        {
            case "accepted":
                question.IsAccepted = true;
                question.IsToldAhead |= frame.Flag("duplicate");
                question.Text ??= frame.Text("question");
                break;
            case "delta":
                Check(!question.IsCancelling || isRepeat, "I6: nothing but the end follows 'cancelling'", frame);
                var index = (int)frame.Number("index")!.Value;
                Check(question.End is null || isRepeat || (question.IsToldAhead && index < question.NextDelta), "I2: nothing follows the end", frame);
                Check(index <= question.NextDelta, $"the next delta has the index {question.NextDelta}", frame);
                if (index == question.NextDelta)
                {
                    question.Answer.Append(frame.Text("text"));
                    question.NextDelta += (int)(frame.Number("count") ?? 1);
                }

                break;
            case "done":
                Check(question.End is null || isRepeat || question.IsToldAhead, "I2: there is one 'done'", frame);
                question.IsToldAhead &= isRepeat;
                End(question, frame);
                break;
        }
    }

    private void OnSnapshot(JsonElement frame)
    {
        var question = Obtain(frame.Text("question_id")!);
        question.Text ??= frame.Text("question");
        if (frame.Number("part") == 1)
        {
            question.Answer.Clear();
        }

        question.Answer.Append(frame.Text("text"));
        if (frame.Number("part") != frame.Number("parts"))
        {
            return;
        }

        question.NextDelta = (int)frame.Number("deltas")!.Value;
        if (frame.Text("status") is not ("queued" or "accepted" or "answering" or "recovering"))
        {
            End(question, frame);
        }
    }

    private void OnCancelling(JsonElement frame)
    {
        var question = Obtain(frame.Text("question_id")!);
        Check(question.End is null, "I6: 'cancelling' comes before the end", frame);
        question.IsCancelling = true;
    }

    private void End(ReferenceQuestion question, JsonElement frame)
    {
        Check(frame.Number("deltas") == question.NextDelta, $"I7: {question.NextDelta} deltas were joined", frame);
        var bytes = Encoding.UTF8.GetByteCount(question.Answer.ToString());
        Check(frame.Number("bytes") == bytes, $"I7: {bytes} bytes were joined", frame);
        question.End ??= frame;
    }

    private ReferenceQuestion Obtain(string id)
    {
        if (!_questions.TryGetValue(id, out var question))
        {
            _questions[id] = question = new ReferenceQuestion(id);
        }

        return question;
    }

    private void Check(bool holds, string claim, JsonElement frame)
    {
        if (!holds)
        {
            throw new XunitException(
                $"{claim}; got {frame.GetRawText()}\nFrames so far:\n  {string.Join("\n  ", Socket.Frames.TakeLast(20))}");
        }
    }
}
