using System.Text;
using System.Text.Json;

namespace OrleansSessions.Benchmarks.Failover;

/// <summary>An answer as one v1 client puts it together from frames: events, replays of them, and snapshots. Not thread-safe.</summary>
/// <param name="expected">The text that an undisturbed answer has.</param>
internal sealed class ReceivedAnswer(string expected)
{
    private readonly StringBuilder _text = new();
    private long _deltas;
    private string? _status;

    /// <summary>What was wrong, or null.</summary>
    public string? Mistake { get; private set; }

    /// <summary>The reason in the end of an answer that is not whole, or null.</summary>
    public string? Reason { get; private set; }

    public bool HasText => _text.Length > 0;

    public bool HasEnded => _status is not null;

    public string Text => _text.ToString();

    public AnswerEnd End => (_status, Mistake) switch
    {
        (null, null) => AnswerEnd.None,
        (_, not null) => AnswerEnd.Wrong,
        ("completed", _) => AnswerEnd.Whole,
        _ => AnswerEnd.Lost,
    };

    public void OnDelta(JsonElement frame)
    {
        var index = frame.GetProperty("index").GetInt64();
        var count = frame.TryGetProperty("count", out var run) ? run.GetInt64() : 1;
        if (index == _deltas)
        {
            _text.Append(frame.GetProperty("text").GetString());
            _deltas += count;
        }
        else if (index > _deltas || !IsRepeat(frame))
        {
            Fail($"delta {index} after {_deltas} deltas");
        }
    }

    public void OnSnapshot(JsonElement frame)
    {
        if (frame.GetProperty("part").GetInt64() == 1)
        {
            _text.Clear();
        }

        _text.Append(frame.GetProperty("text").GetString());
        _deltas = frame.GetProperty("deltas").GetInt64();
        var isLastPart = frame.GetProperty("part").GetInt64() == frame.GetProperty("parts").GetInt64();
        if (isLastPart && frame.GetProperty("status").GetString() is not ("queued" or "accepted" or "answering" or "recovering") && !HasEnded)
        {
            OnEnd(frame);
        }
    }

    public void OnDone(JsonElement frame)
    {
        if (!HasEnded)
        {
            OnEnd(frame);
        }
        else if (!IsRepeat(frame))
        {
            Fail($"a second end after {_status}: {frame.GetRawText()}");
        }
    }

    private void OnEnd(JsonElement frame)
    {
        _status = frame.GetProperty("status").GetString();
        Reason = frame.TryGetProperty("reason", out var reason) ? reason.GetString() : null;
        var isWhole = _status == "completed";
        if (isWhole ? Text != expected : !expected.StartsWith(Text, StringComparison.Ordinal))
        {
            Fail($"{_status} with {_text.Length} characters that are not the beginning of the answer, or not all {expected.Length}");
        }
        else if (frame.GetProperty("bytes").GetInt64() != Encoding.UTF8.GetByteCount(Text) || frame.GetProperty("deltas").GetInt64() != _deltas)
        {
            Fail($"counts that do not match {_deltas} deltas of {_text.Length} characters: {frame.GetRawText()}");
        }
        else if (!isWhole && Reason is null)
        {
            Fail($"{_status} without a reason");
        }
    }

    private static bool IsRepeat(JsonElement frame) => frame.TryGetProperty("replay", out var replay) && replay.ValueKind == JsonValueKind.True;

    private void Fail(string mistake) => Mistake ??= mistake;
}
