using System.Text;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Servers;

/// <summary>What one v1 socket has been told. Each frame is held against the rules of numbers and counts.</summary>
internal sealed class CheckedLog
{
    private readonly Dictionary<string, FollowedQuestion> _questions = [];
    private bool _isRewinding;

    public string Epoch { get; private set; } = "";

    public long Last { get; private set; }

    /// <summary>The text of a question so far.</summary>
    public string TextOf(string id) => _questions.TryGetValue(id, out var question) ? question.Text.ToString() : "";

    /// <summary>Starts at the position of the first frame.</summary>
    /// <param name="after">The position in the request of the socket, or null.</param>
    public void Begin(Frame hello, long? after)
    {
        Check.Equal(after is not null, hello.Flag("resuming"), "'resuming' of hello");
        Epoch = hello.Text("epoch")!;
        Last = after ?? hello.Number("seq")!.Value;
    }

    /// <summary>The tool has sent <c>resume</c>: what is no replay will be sent again.</summary>
    public void BeginRewind() => _isRewinding = true;

    public void Take(Frame frame)
    {
        FrameForms.Hold(frame);
        switch (frame.Type)
        {
            case "resumed":
                _isRewinding = false;
                Check.That(
                    frame.Flag("recovered") != true || frame.Number("to_seq") == Last, $"a replay that ends at to_seq, and not at {Last}", frame);
                Epoch = frame.Text("epoch")!;
                Last = frame.Number("to_seq")!.Value;
                break;
            case "snapshot":
                TakeSnapshot(frame);
                break;
            case "ping":
                Check.That(_isRewinding || frame.Number("seq") <= Last, $"a ping that is not ahead of what was sent, which ends at {Last}", frame);
                break;
            case "accepted" or "delta" or "done" when !_isRewinding || frame.Flag("replay") == true:
                TakeEvent(frame);
                break;
        }
    }

    private void TakeEvent(Frame frame)
    {
        var seq = frame.Number("seq")!.Value;
        var first = frame.Number("from_seq") ?? seq;
        var count = frame.Number("count") ?? 1;
        Check.Equal(count, seq - first + 1, "the number of deltas from from_seq to seq");
        if (frame.Flag("duplicate") != true && !(frame.Flag("replay") == true && seq <= Last))
        {
            Check.That(first == Last + 1, $"the number {Last + 1} next", frame);
            Last = seq;
        }

        var question = Obtain(frame.QuestionId!);
        if (frame.Type == "delta")
        {
            var index = frame.Number("index")!.Value;
            Check.That(index <= question.Next, $"a delta with the index {question.Next}", frame);
            if (index == question.Next)
            {
                question.Text.Append(frame.Text("text"));
                question.Next += count;
            }
        }
        else if (frame.Type == "done")
        {
            CheckCounts(question, frame);
        }
    }

    private void TakeSnapshot(Frame frame)
    {
        var question = Obtain(frame.QuestionId!);
        var part = frame.Number("part")!.Value;
        if (part == 1)
        {
            question.Text.Clear();
        }

        question.Text.Append(frame.Text("text"));
        if (part == frame.Number("parts"))
        {
            question.Next = frame.Number("deltas")!.Value;
            CheckCounts(question, frame);
        }
    }

    private static void CheckCounts(FollowedQuestion question, Frame frame)
    {
        Check.Equal(question.Next, frame.Number("deltas"), $"'deltas' of '{frame.Type}', as they were joined");
        Check.Equal(Encoding.UTF8.GetByteCount(question.Text.ToString()), frame.Number("bytes"), $"'bytes' of '{frame.Type}', of the joined text in UTF-8");
    }

    private FollowedQuestion Obtain(string id) => _questions.TryGetValue(id, out var known) ? known : _questions[id] = new();

    private sealed class FollowedQuestion
    {
        public StringBuilder Text { get; } = new();

        public long Next { get; set; }
    }
}
