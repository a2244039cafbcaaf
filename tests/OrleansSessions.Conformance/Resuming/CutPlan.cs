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

    public IEnumerable<string> OnServerFrame(ProxiedSocket socket, string json)
    {
        var cut = socket.Number < Cuts.Count ? Cuts[socket.Number] : null;
        if (cut is not null && socket.ServerFrames > cut.AfterFrames - cut.Lost)
        {
            transcript.Add("server", $"{json} (lost)");
        }
        else
        {
            transcript.Add("server", json);
            yield return Shorten(json);
        }

        if (cut is not null && socket.ServerFrames == cut.AfterFrames)
        {
            transcript.Add("proxy", cut.CloseCode is null ? $"resets connection {socket.Number}" : $"closes connection {socket.Number} with {cut.CloseCode}");
            _cuts++;
            End(socket, cut.CloseCode);
        }
    }

    public IEnumerable<string> OnClientFrame(ProxiedSocket socket, string json)
    {
        transcript.Add("client", json);
        var fate = FirstQuestion;
        if (fate == QuestionFate.Arrives || _cuts > 0 || !json.Contains("\"question\"", StringComparison.Ordinal))
        {
            yield return json;
            yield break;
        }

        if (fate == QuestionFate.ArrivesUnanswered)
        {
            yield return json;
        }

        transcript.Add("proxy", $"resets connection {socket.Number}");
        _cuts++;
        socket.Reset();
    }

    public int OnServerClose(int code) => code;

    public string OnReply(string request, string body) => body;

    private static void End(ProxiedSocket socket, int? closeCode)
    {
        if (closeCode is null)
        {
            socket.Reset();
        }
        else
        {
            _ = socket.CloseAsync(closeCode.Value);
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
