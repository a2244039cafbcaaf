using System.Text.Json;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Clients;

/// <summary>What a v1 client has to remember: its position, and its own questions. It judges nothing: the transcript is checked later.</summary>
internal sealed class FollowedLog
{
    private static readonly string[] OpenStates = ["queued", "accepted", "answering", "recovering", "waiting_input"];

    private readonly Dictionary<string, OwnQuestion> _own = [];

    public string? Epoch { get; private set; }

    public long Last { get; private set; }

    /// <summary>True from a <c>hello</c> that resumes to its <c>resumed</c>.</summary>
    public bool IsReplaying { get; private set; }

    public bool HasOpenAnswer => _own.Values.Any(question => question.IsAccepted && !question.Ended.IsCompleted);

    /// <summary>The own questions that are not known to have been accepted, after a connection is live: they are sent again.</summary>
    public event Action<OwnQuestion>? NeverAccepted;

    /// <summary>The own questions that were accepted and are not open any more, after a connection is live: their end was missed.</summary>
    public event Action<OwnQuestion>? EndMissed;

    public void Add(OwnQuestion question) => _own[question.Id] = question;

    public OwnQuestion? Own(string? id) => id is not null && _own.TryGetValue(id, out var question) ? question : null;

    /// <summary>Applies a frame. Returns true if it makes the connection live.</summary>
    public bool Apply(JsonElement frame)
    {
        switch (frame.Type())
        {
            case "hello":
                IsReplaying = frame.Flag("resuming");
                return !IsReplaying && Settle(frame, "seq");
            case "resumed":
                IsReplaying = false;
                return Settle(frame, "to_seq");
            case "snapshot":
                OnSnapshot(frame);
                return false;
            case "accepted" or "delta" or "done":
                OnEvent(frame);
                return false;
            default:
                return false;
        }
    }

    private bool Settle(JsonElement frame, string position)
    {
        (Epoch, Last) = (frame.Text("epoch"), frame.Number(position) ?? 0);
        var open = frame.GetProperty("open").EnumerateArray().Select(question => question.Text("question_id")).ToHashSet();
        foreach (var question in _own.Values.Where(question => !question.Ended.IsCompleted).ToArray())
        {
            if (open.Contains(question.Id))
            {
                question.IsAccepted = true;
            }
            else if (question.IsAccepted)
            {
                EndMissed?.Invoke(question);
            }
            else
            {
                NeverAccepted?.Invoke(question);
            }
        }

        return true;
    }

    private void OnEvent(JsonElement frame)
    {
        var seq = frame.Number("seq") ?? 0;
        // What answers a repeated ask has its old number, which moves nothing. What is ahead of the position without a gap moves it.
        if (!frame.Flag("duplicate") && (frame.Number("from_seq") ?? seq) == Last + 1)
        {
            Last = seq;
        }

        if (Own(frame.Text("question_id")) is { } question)
        {
            question.IsAccepted = true;
            if (frame.Type() == "done")
            {
                question.End(frame.Text("status") ?? "", frame.Text("reason"));
            }
        }
    }

    private void OnSnapshot(JsonElement frame)
    {
        if (Own(frame.Text("question_id")) is { } question)
        {
            question.IsAccepted = true;
            if (frame.Number("part") == frame.Number("parts") && frame.Text("status") is { } status && !OpenStates.Contains(status))
            {
                question.End(status, frame.Text("reason"));
            }
        }
    }
}
