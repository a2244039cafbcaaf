using System.Text.Json.Nodes;
using OrleansSessions.Conformance.Proxies;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>A server that is wrong in one way: the real one, with a proxy that damages what it sends.</summary>
internal sealed class DamagePlan(Uri server, Damage damage) : IProxyPlan
{
    public Uri ChooseServer() => server;

    public IEnumerable<string> OnServerFrame(IProxiedConnection connection, string json)
    {
        var frame = JsonNode.Parse(json)!.AsObject();
        var (type, isReplay) = ((string?)frame["type"], frame.ContainsKey("replay"));
        switch (damage)
        {
            case Damage.DroppedDelta when type == "delta" && (int)frame["index"]! == 1:
            case Damage.ShortReplay when isReplay && type == "accepted":
            case Damage.NoSnapshot when type == "snapshot":
                return [];
            case Damage.RepeatedNumber when type == "delta" && (int)frame["index"]! == 1:
                frame["seq"] = (long)frame["seq"]! - 1;
                break;
            case Damage.RepeatedFrame when type == "delta":
                return [json, json];
            case Damage.WrongCounts when type == "done":
                frame["bytes"] = (long)frame["bytes"]! + 1;
                break;
            case Damage.BusyMessage when (string?)frame["code"] == "session_busy":
                frame["message"] = "Please wait for the previous answer";
                break;
            case Damage.NoReplayMark when isReplay:
                frame.Remove("replay");
                break;
            case Damage.HelloWithoutLimits when type == "hello":
                frame.Remove("limits");
                break;
            case Damage.RetryableLies when type == "error":
                frame["retryable"] = !(bool)frame["retryable"]!;
                break;
            case Damage.SecondDone when type == "done":
                var second = frame.DeepClone();
                second["seq"] = (long)frame["seq"]! + 1;
                return [json, second.ToJsonString()];
            default:
                return [json];
        }

        return [frame.ToJsonString()];
    }

    public IEnumerable<string> OnClientFrame(IProxiedConnection socket, string json) => [json];

    public QuestionFate OnRequest(string request, string body) => QuestionFate.Arrives;

    public int OnServerClose(int code) => damage == Damage.CloseCode ? code + 4 : code;

    public string OnReply(string request, string body) => damage switch
    {
        Damage.ProblemCode => body.Replace("session_busy", "queue_full", StringComparison.Ordinal),
        Damage.StoredText when request.StartsWith("GET", StringComparison.Ordinal) => body.Replace("all.", "none", StringComparison.Ordinal),
        _ => body,
    };
}
