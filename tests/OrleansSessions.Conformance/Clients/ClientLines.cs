using System.Text.Json;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Clients;

/// <summary>The lines that a client writes. Each is held against what all clients promise: what is shown of a question is its text, once.</summary>
internal sealed class ClientLines(IClientUnderTest client, ICaseLimits scene)
{
    private static readonly HashSet<string> States = ["connecting", "live", "reconnecting"];
    private static readonly HashSet<string> Reasons = ["closed", "refused", "token_expired", "session_removed", "protocol", "ended"];

    private readonly Dictionary<string, string> _texts = [];
    private readonly HashSet<string> _over = [];
    private readonly List<Frame> _past = [];
    private bool _isStopped;

    /// <summary>All lines that a case has taken so far.</summary>
    public IReadOnlyList<Frame> Past => _past;

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
    public async Task<Frame> UntilAsync(string name, string? id = null)
    {
        while (true)
        {
            var line = await NextAsync(id is null ? $"the event '{name}'" : $"the event '{name}' of {id}");
            if (line.Text("event") == name && (id is null || line.Text("id") == id))
            {
                return line;
            }
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

    private async Task<Frame> NextAsync(string expected)
    {
        var line = await (_past.Count == 0 ? scene.Patience.ForStart : scene.Patience).ForAsync(expected,
            cancellation => client.NextAsync(cancellation).AsTask());
        if (line is null)
        {
            throw new CaseFailedException(expected, "the end of the client program");
        }

        scene.Transcript.Add("stdout", line.Json);
        _past.Add(line);
        CheckLine(line);
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
                _isStopped = true;
                break;
            case "accepted":
                Check.That(!_over.Contains(IdOf(line)), "nothing of a question that is over", line);
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
                if (line.Text("id") is { } id && !_texts.ContainsKey(id))
                {
                    _over.Add(id);
                }

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

    private static string IdOf(Frame line) => line.Text("id") ?? throw new CaseFailedException("an event with the id of its question", line.Json);
}
