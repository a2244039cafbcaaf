using System.Text.Json.Nodes;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Proxies;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Resuming;

/// <summary>Cuts the first connections as listed, and leaves the later ones alone. Each connection goes to the next server.</summary>
internal sealed class CutPlan(IReadOnlyList<Uri> servers, Transcript transcript) : IProxyPlan
{
    private const int MinMs = 20;
    private const int MaxMs = 60;

    private int _next;
    private volatile int _cuts;

    /// <summary>The cuts, one for each connection in the order in which they open.</summary>
    public IReadOnlyList<Cut> Cuts { get; set; } = [];

    /// <summary>What happens to the first question of the client: it is lost with the connection, or only the answer to it.</summary>
    public QuestionFate FirstQuestion { get; set; }

    /// <summary>How many connections have been cut so far.</summary>
    public int Done => _cuts;

    public bool IsOver => _cuts >= Cuts.Count + (FirstQuestion == QuestionFate.Arrives ? 0 : 1);

    public Uri ChooseServer() => servers[(Interlocked.Increment(ref _next) - 1) % servers.Count];

    public IEnumerable<string> OnServerFrame(IProxiedConnection connection, string json)
    {
        var cut = connection.Number < Cuts.Count ? Cuts[connection.Number] : null;
        if (cut is not null && connection.ServerFrames > cut.AfterFrames - cut.Lost)
        {
            transcript.Add("server", $"{json} (lost)");
        }
        else
        {
            transcript.Add("server", json);
            yield return Shorten(json);
        }

        if (cut is not null && connection.ServerFrames == cut.AfterFrames)
        {
            transcript.Add("proxy", cut.CloseCode is null ? $"resets connection {connection.Number}" : $"closes connection {connection.Number} with {cut.CloseCode}");
            _cuts++;
            End(connection, cut.CloseCode);
        }
    }

    public IEnumerable<string> OnClientFrame(IProxiedConnection socket, string json)
    {
        transcript.Add("client", json);
        var fate = FateOf(json);
        if (fate != QuestionFate.IsLost)
        {
            yield return json;
        }

        if (fate != QuestionFate.Arrives)
        {
            socket.Reset();
        }
    }

    public QuestionFate OnRequest(string request, string body)
    {
        transcript.Add("client", $"{request} {body}");
        return FateOf(body);
    }

    public int OnServerClose(int code) => code;

    public string OnReply(string request, string body) => body;

    /// <summary>Only the first question has a fate of its own.</summary>
    private QuestionFate FateOf(string json)
    {
        if (FirstQuestion == QuestionFate.Arrives || _cuts > 0 || !json.Contains("\"question\"", StringComparison.Ordinal))
        {
            return QuestionFate.Arrives;
        }

        transcript.Add("proxy", "resets the connection of this question");
        _cuts++;
        return FirstQuestion;
    }

    private static void End(IProxiedConnection connection, int? closeCode)
    {
        if (closeCode is null)
        {
            connection.Reset();
        }
        else
        {
            _ = connection.CloseAsync(closeCode.Value);
        }
    }

    /// <summary>The waits of a client are shorter here, so that the script is.</summary>
    private static string Shorten(string json)
    {
        if (Frame.Parse(json).Type != "hello")
        {
            return json;
        }

        var hello = JsonNode.Parse(json)!;
        hello["reconnect"] = new JsonObject { ["min_ms"] = MinMs, ["max_ms"] = MaxMs };
        return hello.ToJsonString();
    }
}
