using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Servers.Cases;

/// <summary>Limits, and what section 9 refuses.</summary>
internal static class BadInputCases
{
    private const int SensibleLimit = 16 * 1024 * 1024;

    private static readonly (string Name, string Claim, string Frame, string? Param)[] Refused =
    [
        ("not-json", "text that is not JSON", "nonsense", null),
        ("not-an-object", "JSON that is not an object", "[1]", null),
        ("after-the-object", "anything after the object", """{"type":"ping"} {}""", null),
        ("deep", "nesting deeper than 32", $$"""{"type":"ping","x":{{new string('[', 40)}}{{new string(']', 40)}}}""", null),
        ("empty-question", "an empty question", """{"type":"question","question":""}""", "question"),
        ("missing-question", "a missing question", """{"type":"question"}""", "question"),
        ("duplicate-field", "a duplicate field", """{"type":"question","question":"a","question":"b"}""", "question"),
        ("wrong-type", "a known field of the wrong type", """{"type":"question","question":["a"]}""", "question"),
        ("half-pair", "an escape for half a surrogate pair", """{"type":"question","question":"\ud83d"}""", "question"),
        ("if-busy", "an unknown if_busy", """{"type":"question","question":"a","if_busy":"wait"}""", "if_busy"),
        ("question-id", "a malformed question id", """{"type":"question","question":"a","id":"no spaces"}""", "id"),
        ("options", "options that are not an object", """{"type":"question","question":"a","options":["small"]}""", "options"),
        ("cancel-id", "a malformed id in a cancel", """{"type":"cancel","question_id":""}""", "question_id"),
        ("resume-without-position", "'resume' without after_seq", """{"type":"resume","epoch":"e19"}""", "after_seq"),
        ("resume-without-epoch", "'resume' without epoch", """{"type":"resume","after_seq":1}""", "epoch"),
        ("resume-negative", "'resume' with a negative position", """{"type":"resume","epoch":"e19","after_seq":-1}""", "after_seq"),
        ("auth-empty", "'auth' without a token", """{"type":"auth","token":""}""", "token"),
        ("no-type", "neither type nor question", "{}", "type"),
    ];

    public static IEnumerable<ConformanceCase<ServerScene>> All { get; } =
    [
        new("8.message-too-large", "a message above limits.message_bytes is refused and closes with 1009", RefusesLargeMessageAsync),
        new("8.question-too-large", "a question above limits.question_bytes is refused, and the socket stays open", RefusesLargeQuestionAsync),
        .. Refused.Select(each => new ConformanceCase<ServerScene>(
            $"9.{each.Name}", $"{each.Claim} is refused, and changes nothing", scene => RefusesAsync(scene, each.Frame, "bad_request", each.Param))),
        new("9.unknown-type", "an unknown type is refused, and changes nothing",
            scene => RefusesAsync(scene, """{"type":"shout","question":"a"}""", "unknown_type", null)),
        new("9.unknown-option", "an option that the responder does not take is refused, and changes nothing", RefusesOptionAsync),
        new("9.binary", "a binary message closes with 1003",
            scene => ClosesAsync(scene, "{}"u8.ToArray(), WebSocketMessageType.Binary, CloseCodes.UnsupportedData)),
        new("9.not-utf8", "text that is not UTF-8 closes with 1007",
            scene => ClosesAsync(scene, [0x22, 0xff, 0x22], WebSocketMessageType.Text, CloseCodes.InvalidPayload)),
        new("9.http", "wrong methods, types, addresses and positions are refused over HTTP", RefusesOverHttpAsync),
    ];

    private static async Task RefusesLargeMessageAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        var limit = socket.Hello.Inner("limits")!.Number("message_bytes")!.Value;
        SkipAbove(limit);
        await socket.SendRawAsync(Encoding.UTF8.GetBytes($$"""{"type":"ping","x":"{{new string('x', (int)limit)}}"}"""), WebSocketMessageType.Text);
        await socket.ExpectErrorAsync("message_too_large");
        await socket.ExpectCloseAsync(CloseCodes.MessageTooBig);
    }

    private static async Task RefusesLargeQuestionAsync(ServerScene scene)
    {
        var socket = await scene.OpenAsync();
        var limit = socket.Hello.Inner("limits")!.Number("question_bytes")!.Value;
        SkipAbove(limit);
        if (limit + 1000 > socket.Hello.Inner("limits")!.Number("message_bytes"))
        {
            throw new CaseSkippedException("A message cannot hold such a question.");
        }

        await socket.SendRawAsync(Encoding.UTF8.GetBytes(Frames.Question("q-1", new string('x', (int)limit + 1))), WebSocketMessageType.Text);
        var error = await socket.ExpectErrorAsync("question_too_large");
        Check.Equal("question q-1", $"{error.Text("param")} {error.QuestionId}", "param and question_id");
        await socket.ExpectNothingAsync();
    }

    private static async Task RefusesAsync(ServerScene scene, string frame, string code, string? param)
    {
        var socket = await scene.OpenAsync();
        await socket.SendAsync(frame);
        var error = await socket.ExpectErrorAsync(code);
        if (param is not null)
        {
            Check.Equal(param, error.Text("param"), "param");
        }

        await socket.ExpectNothingAsync();
        Check.Equal(0, socket.Log.Last, "the position of a session that nothing changed");
    }

    private static async Task RefusesOptionAsync(ServerScene scene)
    {
        const string Option = "conformance-unknown";
        var socket = await scene.OpenAsync();
        await socket.SendAsync(JsonSerializer.Serialize(new
        {
            type = "question",
            id = "q-1",
            question = "a",
            options = new Dictionary<string, bool> { [Option] = true },
        }));
        var frame = await socket.NextAsync("an error");
        if (frame.Type == "accepted" && !scene.Target.IsExternal)
        {
            throw new CaseSkippedException($"The responder '{scene.Target.Responder}' takes the option '{Option}'.");
        }

        Check.Equal($"bad_request options.{Option} q-1", $"{frame.Text("code")} {frame.Text("param")} {frame.QuestionId}", "code, param and question_id");
        await socket.ExpectNothingAsync();
    }

    private static async Task ClosesAsync(ServerScene scene, byte[] payload, WebSocketMessageType type, int code)
    {
        var socket = await scene.OpenAsync();
        await socket.SendRawAsync(payload, type);
        await socket.ExpectCloseAsync(code);
    }

    private static async Task RefusesOverHttpAsync(ServerScene scene)
    {
        (await scene.CallAnyAsync(HttpMethod.Post, $"/{scene.Session}/questions", new StringContent("""{"question":"a"}""", Encoding.UTF8, "text/plain")))
            .ExpectProblem(WireErrors.UnsupportedMediaType);
        var wrong = await scene.CallAsync(HttpMethod.Put, "/questions", """{"question":"a"}""");
        wrong.ExpectProblem(WireErrors.MethodNotAllowed);
        Check.That(wrong.ContentHeaders.Allow.Contains("POST"), "'Allow' with POST", string.Join(", ", wrong.ContentHeaders.Allow));
        (await scene.CallAsync(HttpMethod.Get, "/unknown-address")).ExpectProblem(WireErrors.NotFound);
        (await scene.CallAsync(HttpMethod.Get, "")).ExpectProblem(WireErrors.SessionNotFound);
        (await scene.CallAsync(HttpMethod.Post, "/questions", "nonsense")).ExpectProblem(WireErrors.BadRequest);
        (await scene.CallAsync(HttpMethod.Get, "/questions?limit=many")).ExpectProblem(WireErrors.BadRequest);
        foreach (var query in new[] { "v=1&after=1", "v=1&epoch=e1&after=many" })
        {
            try
            {
                await scene.DialAsync(query, []);
            }
            catch (UpgradeRefusedException refused)
            {
                Check.Equal(400, refused.Status, $"the answer to an upgrade with {query}");
                continue;
            }

            throw new CaseFailedException($"400 for an upgrade with {query}", "a socket");
        }
    }

    private static void SkipAbove(long limit)
    {
        if (limit > SensibleLimit)
        {
            throw new CaseSkippedException($"The limit of {limit} bytes is too large to be tried.");
        }
    }
}
