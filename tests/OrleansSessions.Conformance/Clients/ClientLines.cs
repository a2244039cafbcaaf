using System.Text.Json;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Clients;

/// <summary>The lines that a client writes. Each is held against what all clients promise: what is shown of a question is its text, once.</summary>
internal sealed class ClientLines(IClientUnderTest client, ICaseLimits scene)
{
    private static readonly HashSet<string> States = ["connecting", "live", "reconnecting"];
    private static readonly HashSet<string> Reasons = ["closed", "refused", "token_expired", "session_removed", "protocol", "ended"];

    /// <summary>These codes never answer a question.</summary>
    private static readonly HashSet<string> CancelRefusals = [WireErrors.QuestionNotFound.Code, WireErrors.NoOpenQuestion.Code];

    private readonly Dictionary<string, string> _texts = [];
    private readonly Dictionary<string, int> _requests = [];
    private readonly HashSet<string> _asked = [];
    private readonly HashSet<string> _accepted = [];
    private readonly HashSet<string> _over = [];
    private readonly List<Frame> _past = [];
    private bool _isStopped;

    /// <summary>All lines that a case has taken so far.</summary>
    public IReadOnlyList<Frame> Past => _past;

    /// <summary>Notes what the client was told, because it decides what the client may write.</summary>
    public void Told(string json)
    {
        var order = Frame.Parse(json);
        if (order.Text("do") is not ("ask" or "cancel"))
        {
            return;
        }

        var id = order.Text("id") ?? "";
        _requests[id] = _requests.GetValueOrDefault(id) + 1;
        if (order.Text("do") == "ask")
        {
            _asked.Add(id);
            if (_over.Remove(id))
            {
                _texts.Remove(id);
                _accepted.Remove(id);
            }
        }
    }

    /// <summary>The pieces of this question since the last restart.</summary>
    public string TextOf(string id) => _texts.GetValueOrDefault(id, "");

    /// <exception cref="CaseFailedException">The line is not a JSON object.</exception>
    public static Frame Parse(string line)
    {
        try
        {
            return Frame.Parse(line);
        }
        catch (JsonException)
        {
            throw new CaseFailedException("one JSON object a line on the standard output", Transcript.Shorten(line));
        }
    }

    /// <summary>Takes lines until one has this event, and this id if one is given.</summary>
    public Task<Frame> UntilAsync(string name, string? id = null) => UntilAsync([name], id);

    /// <summary>Takes lines until one has one of these events, and this id if one is given.</summary>
    public async Task<Frame> UntilAsync(string[] names, string? id)
    {
        var expected = $"the event '{string.Join("' or '", names)}'{(id is null ? "" : $" of {id}")}";
        while (true)
        {
            var line = await NextAsync(expected);
            if (names.Contains(line.Text("event")) && (id is null || line.Text("id") == id))
            {
                return line;
            }
        }
    }

    /// <summary>Takes all lines up to the end of the program's output.</summary>
    public async Task EndAsync()
    {
        while (await TakeAsync("the end of the program's output") is not null)
        {
        }
    }

    public async Task StateAsync(string state)
    {
        while (true)
        {
            if ((await UntilAsync("state")).Text("state") == state)
            {
                return;
            }
        }
    }

    /// <summary>Takes lines until the pieces of this question are this text.</summary>
    public async Task TextAsync(string id, string text)
    {
        while (TextOf(id) != text)
        {
            var line = await NextAsync($"the text '{text}' of {id}, not just '{TextOf(id)}'");
            Check.That(
                TextOf(id).Length <= text.Length, $"the text '{text}' of {id}", $"'{TextOf(id)}' after {line}");
        }
    }

    /// <summary>Takes lines until the question has ended with this text.</summary>
    public async Task<Frame> EndedAsync(string id, string text, string status = "completed")
    {
        var ended = await UntilAsync("ended", id);
        Check.Equal(text, ended.Text("text"), $"the whole text of {id}");
        Check.Equal(status, ended.Text("status"), $"how {id} ended");
        return ended;
    }

    public async Task<Frame> StoppedAsync(string reason)
    {
        var stopped = await UntilAsync("stopped");
        Check.Equal(reason, stopped.Text("reason"), "why the client stopped");
        return stopped;
    }

    private async Task<Frame> NextAsync(string expected) =>
        await TakeAsync(expected) ?? throw new CaseFailedException(expected, "the end of the client program");

    private async Task<Frame?> TakeAsync(string expected)
    {
        var line = await (_past.Count == 0 ? scene.Patience.ForStart : scene.Patience).ForAsync(expected,
            cancellation => client.NextAsync(cancellation).AsTask());
        if (line is not null)
        {
            scene.Transcript.Add("stdout", line.Json);
            _past.Add(line);
            CheckLine(line);
        }

        return line;
    }

    private void CheckLine(Frame line)
    {
        Check.That(!_isStopped, "nothing after 'stopped'", line);
        switch (line.Text("event"))
        {
            case "state":
                Check.That(States.Contains(line.Text("state") ?? ""), "connecting, live or reconnecting", line);
                break;
            case "stopped":
                Check.That(Reasons.Contains(line.Text("reason") ?? ""), "a reason of the list", line);
                Check.That(_asked.IsSubsetOf(_over), "an end of each question that was asked, before 'stopped'", string.Join(", ", _asked.Except(_over)));
                _isStopped = true;
                break;
            case "accepted":
                Check.That(!_over.Contains(IdOf(line)), "nothing of a question that is over", line);
                Check.That(_accepted.Add(IdOf(line)), "'accepted' once for each question", line);
                break;
            case "text":
                Check.That(!_over.Contains(IdOf(line)), "nothing of a question that is over", line);
                _texts[IdOf(line)] = TextOf(IdOf(line)) + line.Text("text");
                break;
            case "restarted":
                Check.That(!_over.Contains(IdOf(line)), "nothing of a question that is over", line);
                _texts[IdOf(line)] = "";
                break;
            case "ended":
                Check.That(_over.Add(IdOf(line)), "one end of each question", line);
                Check.Equal(line.Text("text"), TextOf(IdOf(line)), "the pieces since the last restart, joined");
                break;
            case "refused":
                CheckRefusal(line);
                break;
            case "lost" or "unreadable" or "failed":
                Check.That(_over.Add(IdOf(line)), "one end of each question", line);
                break;
            case "history":
                break;
            case "error":
                throw new CaseFailedException("no error in the client", line.Text("message") ?? line.Json);
            default:
                throw new CaseFailedException("an event of docs/conformance.md", line.Json);
        }
    }

    /// <summary>A refusal of an ask ends the question. One of a cancel, or of an ask for a question that was accepted before, does not.</summary>
    private void CheckRefusal(Frame line)
    {
        if (line.Text("id") is not { } id)
        {
            return;
        }

        // A cancel without an id can be refused with the id of the running question.
        var requests = _requests.GetValueOrDefault(id) + _requests.GetValueOrDefault("");
        _requests[id] = _requests.GetValueOrDefault(id) - 1;
        Check.That(requests > 0, "'refused' once for each ask and each cancel", line);
        if (_asked.Contains(id) && !_accepted.Contains(id) && !CancelRefusals.Contains(line.Text("code") ?? ""))
        {
            _over.Add(id);
        }
    }

    private static string IdOf(Frame line) => line.Text("id") ?? throw new CaseFailedException("an event with the id of its question", line.Json);
}
