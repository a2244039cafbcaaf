using System.Text;
using System.Text.Json;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Checks;

/// <summary>
/// Holds the frames of one v1 connection, a socket or an event stream, against the protocol: numbers without hole or repeat, text that goes on where it
/// ended, one <c>done</c>, nothing but it after <c>cancelling</c>.
/// </summary>
/// <param name="after">The epoch and the position from which the client asked to resume. No epoch if it did not.</param>
internal sealed class LinkCheck(string client, RoundRecord round, Sightings seen, ViewMemory memory, (string? Epoch, long Position) after)
{
    private static readonly string[] OpenStates = ["queued", "accepted", "answering", "recovering", "waiting_input"];
    private static readonly string[] RefusedCancels = ["question_not_found", "no_open_question"];

    private Dictionary<string, AnswerProgress> _questions = [];
    private string? _epoch = after.Epoch;
    private long _position = after.Position;
    private bool _isReplaying;
    private bool _hasHello;

    /// <summary>True after a finding.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The questions whose end arrived on this connection.</summary>
    public HashSet<string> Ended { get; } = [];

    /// <summary>The epoch and the position, as an event stream writes them in the id of an event.</summary>
    public string EventId => $"{_epoch}.{_position}";

    /// <summary>Checks the next frame. Returns true if it moved the position.</summary>
    public bool OnFrame(JsonElement frame)
    {
        var type = frame.Type();
        // A draining node answers a request for a stream with nothing but where to go.
        if (!_hasHello && type is not ("hello" or "error" or "reconnect"))
        {
            return Report(FindingKind.Wrong, "the first frame is no hello", frame);
        }

        switch (type)
        {
            case "hello": return OnHello(frame);
            case "resumed": return OnResumed(frame);
            case "accepted" or "delta" or "done": return OnEvent(frame);
            case "snapshot": return OnSnapshot(frame);
            case "cancelling": return OnCancelling(frame);
            case "ping":
                return !_isReplaying && frame.Number("seq") > _position
                && Report(FindingKind.Missing, $"a ping is ahead of the position {_position}", frame);
            case "error": return OnError(frame);
            case "reconnect" or "expiring": return false;
            default: return Report(FindingKind.Wrong, "an unknown type", frame);
        }
    }

    private bool OnHello(JsonElement frame)
    {
        if (_hasHello || frame.Flag("resuming") != (after.Epoch is not null))
        {
            return Report(FindingKind.Wrong, _hasHello ? "a second hello" : "hello.resuming differs from the request", frame);
        }

        _hasHello = true;
        if (_isReplaying = frame.Flag("resuming"))
        {
            _questions = memory.At(_epoch!, _position);
            return false;
        }

        (_epoch, _position) = (frame.Text("epoch"), frame.Number("seq") ?? 0);
        return CheckOpen(frame);
    }

    private bool OnResumed(JsonElement frame)
    {
        var (epoch, to) = (frame.Text("epoch"), frame.Number("to_seq") ?? 0);
        if (frame.Flag("recovered"))
        {
            if (epoch != _epoch || to != _position)
            {
                return Report(to < _position ? FindingKind.Wrong : FindingKind.Missing, $"what was replayed ends at {EventId}", frame);
            }
        }
        else if (frame.Text("reason") switch { "expired" => _position > 0, "trimmed" => epoch != _epoch || to >= _position, var other => other != "epoch_changed" })
        {
            // A round is shorter than what a session keeps, so nothing of it is trimmed, and a session with events is remembered.
            return Report(FindingKind.Missing, $"the events after {EventId} are gone", frame);
        }
        else if (epoch == _epoch)
        {
            // The position is ahead of the log: a node that was frozen and is not yet gone tells what it knew before. Its events come again, with their numbers.
            _questions = memory.At(epoch!, to);
        }
        else if (epoch != _epoch)
        {
            _questions = [];
        }

        (_epoch, _position, _isReplaying) = (epoch, to, false);
        return CheckOpen(frame);
    }

    // At most the first one runs. Returns true, because what has a list of open questions also has a position.
    private bool CheckOpen(JsonElement frame)
    {
        foreach (var (open, number) in frame.GetProperty("open").EnumerateArray().Select((open, number) => (open, number)))
        {
            if (number > 0 != (open.Text("state") == "queued"))
            {
                return Report(FindingKind.Wrong, "not exactly one open question runs", frame);
            }

            seen.AddAccepted(open.Text("question_id")!);
        }

        return true;
    }

    private bool OnEvent(JsonElement frame)
    {
        var (seq, id) = (frame.Number("seq") ?? 0, frame.Text("question_id") ?? "");
        var (first, isReplay) = (frame.Number("from_seq") ?? seq, frame.Flag("replay"));
        if (round.Question(id) is not { } question)
        {
            return Report(FindingKind.Wrong, "an event of a question that was not asked", frame);
        }

        seen.AddAccepted(id);
        if (frame.Flag("duplicate") || (isReplay && (seq <= _position || (!_isReplaying && first != _position + 1))))
        {
            return OnAside(id, frame);
        }

        if (first != _position + 1)
        {
            return Report(first <= _position ? FindingKind.Duplicated : FindingKind.Missing, $"the next number is {_position + 1}", frame);
        }

        if (seq - first + 1 != (frame.Number("count") ?? 1))
        {
            return Report(FindingKind.Wrong, "the numbers of a run differ from its count", frame);
        }

        _position = seq;
        var index = frame.Number("index") ?? frame.Number("position") ?? 0;
        for (var number = first; number <= seq; number++)
        {
            seen.AddEvent(client, _epoch!, number, new(frame.Type()!, id, index + number - first));
        }

        var progress = Progress(id);
        if (frame.Type() == "delta" && !OnDelta(question, progress, frame))
        {
            return false;
        }

        if (frame.Type() == "done" && !OnDone(id, progress, frame))
        {
            return false;
        }

        memory.Keep(_epoch!, _position, id, progress);
        return true;
    }

    /// <summary>What answers a repeated ask or cancel: it has its old number.</summary>
    private bool OnAside(string id, JsonElement frame)
    {
        var progress = Progress(id);
        progress.IsToldAhead |= frame.Flag("duplicate");
        if (frame.Type() == "done")
        {
            AddEnd(id, frame, null);
        }

        return false;
    }

    private bool OnDelta(ExpectedQuestion question, AnswerProgress progress, JsonElement frame)
    {
        var (index, count, text) = (frame.Number("index") ?? 0, frame.Number("count") ?? 1, frame.Text("text") ?? "");
        if (progress.IsToldAhead && index + count <= progress.Next)
        {
            return true;
        }

        if (progress.HasEnded)
        {
            return Report(FindingKind.Duplicated, "text after the end", frame);
        }

        if (progress.IsCancelling && !frame.Flag("replay"))
        {
            return Report(FindingKind.Wrong, "text after 'cancelling'", frame);
        }

        if (progress.IsToldAhead && index < progress.Next)
        {
            // A run that begins in the snapshot: its text begins there, too.
            var known = Enumerable.Range(0, progress.Text.Length + 1).Where(length => question.Text.AsSpan(length).StartsWith(text)).ToArray();
            if (known.Length == 0)
            {
                return Report(FindingKind.Wrong, "text that is not in the answer", frame);
            }

            progress.Text = question.Text[..(known[^1] + text.Length)];
        }
        else if (index != progress.Next)
        {
            return Report(index < progress.Next ? FindingKind.Duplicated : FindingKind.Missing, $"the next index is {progress.Next}", frame);
        }
        else
        {
            progress.Text += text;
        }

        progress.Next = index + count;
        return question.Text.StartsWith(progress.Text, StringComparison.Ordinal)
            || Report(FindingKind.Wrong, $"{progress.Text.Length} characters are not how the answer begins", frame);
    }

    private bool OnDone(string id, AnswerProgress progress, JsonElement frame)
    {
        if (progress.HasEnded && !progress.IsToldAhead)
        {
            return Report(FindingKind.Duplicated, "a second done", frame);
        }

        if (frame.Number("deltas") != progress.Next || frame.Number("bytes") != Encoding.UTF8.GetByteCount(progress.Text))
        {
            return Report(FindingKind.Wrong, $"{progress.Next} deltas with {Encoding.UTF8.GetByteCount(progress.Text)} bytes were received", frame);
        }

        if (progress.IsCancelling && frame.Text("status") != "cancelled")
        {
            return Report(FindingKind.Wrong, "another end after 'cancelling'", frame);
        }

        (progress.HasEnded, progress.IsToldAhead) = (true, false);
        AddEnd(id, frame, progress.Text);
        return true;
    }

    private bool OnSnapshot(JsonElement frame)
    {
        var id = frame.Text("question_id") ?? "";
        if (round.Question(id) is not { } question)
        {
            return Report(FindingKind.Wrong, "a snapshot of a question that was not asked", frame);
        }

        var progress = Progress(id);
        progress.Parts.Add(frame.Text("text") ?? "");
        if (frame.Number("part") != progress.Parts.Count)
        {
            return Report(FindingKind.Missing, $"the next part is {progress.Parts.Count}", frame);
        }

        if (frame.Number("part") != frame.Number("parts"))
        {
            return false;
        }

        var text = string.Concat(progress.Parts);
        progress.Parts.Clear();
        if (frame.Number("bytes") != Encoding.UTF8.GetByteCount(text) || !question.Text.StartsWith(text, StringComparison.Ordinal))
        {
            return Report(FindingKind.Wrong, "a snapshot that is not how the answer begins", frame);
        }

        (progress.Text, progress.Next) = (text, frame.Number("deltas") ?? 0);
        seen.AddAccepted(id);
        if (!OpenStates.Contains(frame.Text("status")))
        {
            progress.HasEnded = true;
            AddEnd(id, frame, text);
        }

        memory.Keep(_epoch!, _position, id, progress);
        return false;
    }

    private bool OnCancelling(JsonElement frame)
    {
        var id = frame.Text("question_id") ?? "";
        Progress(id).IsCancelling = true;
        seen.AddCancelled(id);
        return false;
    }

    private bool OnError(JsonElement frame) => !frame.Flag("retryable") && !RefusedCancels.Contains(frame.Text("code"))
        && Report(FindingKind.Wrong, "a refusal that nothing here explains", frame);

    private void AddEnd(string id, JsonElement frame, string? text)
    {
        Ended.Add(id);
        seen.AddEnd(client, id, new(frame.Text("status") ?? "", frame.Text("reason"), frame.Number("bytes"), text));
    }

    private AnswerProgress Progress(string id)
    {
        if (!_questions.TryGetValue(id, out var progress))
        {
            _questions[id] = progress = new();
        }

        return progress;
    }

    private bool Report(FindingKind kind, string what, JsonElement frame)
    {
        IsBroken = true;
        var raw = frame.GetRawText();
        seen.Report(kind, $"{client} at {EventId}: {what}: {(raw.Length <= 400 ? raw : raw[..400] + "...")}");
        return false;
    }
}
