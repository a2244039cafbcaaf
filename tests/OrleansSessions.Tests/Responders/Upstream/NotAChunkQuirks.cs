using System.Globalization;
using System.IO.Compression;
using System.Text;
using OrleansSessions.Protocol;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>Answers that are no completion: errors in the stream, errors by status, and bodies of another kind. None of them is a cut.</summary>
public sealed class NotAChunkQuirks
{
    private const string Html = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>secret</body></html>\n";

    private static readonly QuirkTable Table = new(
        [.. ErrorEvents(), .. OtherEvents(), .. OtherBodies(), .. Statuses(), .. BodiesOfErrors(), .. CodesOfErrors(), .. RetryAfter()]);

    public static TheoryData<string> Names => Table.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Answer_FailsAsWhatItIs(string quirk) => Table.RunAsync(quirk);

    /// <summary>Error events, each in place of the first chunk and after some text.</summary>
    private static IEnumerable<Quirk> ErrorEvents() => new (string Name, string Event, bool? IsRetryable)[]
    {
        ("server_error", Error("""{"message":"secret","type":"server_error","code":null}"""), true),
        ("overloaded_error", Error("""{"message":"secret","type":"overloaded_error","code":null}"""), true),
        ("overloaded", Error("""{"message":"secret","type":"error","code":"overloaded"}"""), true),
        ("rate_limit_exceeded", Error("""{"message":"secret","type":"requests","code":"rate_limit_exceeded"}"""), true),
        ("insufficient_quota", Error("""{"message":"secret","type":"insufficient_quota","code":"insufficient_quota"}"""), false),
        ("invalid_request_error", Error("""{"message":"secret","type":"invalid_request_error","param":null,"code":null}"""), false),
        ("context_length_exceeded", Error("""{"message":"secret","type":"invalid_request_error","code":"context_length_exceeded"}"""), false),
        ("authentication_error", Error("""{"message":"secret","type":"authentication_error","code":"invalid_api_key"}"""), false),
        ("code 429", Error("""{"message":"secret","code":429}"""), true),
        ("code 503", Error("""{"message":"secret","code":503,"metadata":{}}"""), true),
        ("code 500", Error("""{"message":"secret","code":500}"""), true),
        ("code 400", Error("""{"message":"secret","code":400}"""), false),
        ("code 401", Error("""{"message":"secret","code":401}"""), false),
        ("code 429 as a text", Error("""{"message":"secret","code":"429"}"""), true),
        ("a text", Error("\"secret\""), null),
        ("an empty object", Error("{}"), null),
        ("an error beside a chunk",
            Sse.Event("""{"id":"1","error":{"code":502,"message":"secret"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"""), true),
        ("a choice that ends with error", Sse.Finish("error"), null),
        ("an error in a choice", Sse.Choice("""{"index":0,"delta":{"content":""},"finish_reason":null,"error":{"code":500,"message":"secret"}}"""), true),
        ("object error with code 400", Sse.Event("""{"object":"error","message":"secret","type":"BadRequestError","param":null,"code":400}"""), false),
        ("object error with code 500", Sse.Event("""{"object":"error","message":"secret","type":"InternalServerError","code":500}"""), true),
        ("type error", Sse.Event("""{"type":"error","error":{"type":"overloaded_error","message":"secret"}}"""), true),
        ("an event named error", "event: error\n" + Error("""{"message":"secret","type":"server_error"}"""), true),
        ("a field named error", """error: {"code":400,"message":"secret","type":"invalid_request_error"}""" + "\n\n", false),
        ("a field named error, retryable", """error: {"code":500,"message":"secret","type":"server_error"}""" + "\n\n", true),
        ("JSON without a field", Json("""{"code":503,"message":"secret"}""") + "\n\n", true),
        ("an error with its type beside it", Sse.Event("""{"error":"secret","error_type":"overloaded"}"""), true),
        ("an error with its type beside it, not retryable", Sse.Event("""{"error":"secret","error_type":"validation"}"""), false),
        ("a code of throttling", Sse.Event("""{"code":"Throttling.RateQuota","message":"secret"}"""), true),
        ("a status of failure", Sse.Event("""{"status":"failed","message":"secret"}"""), null),
        ("an error in a vendor's field",
            Sse.Event("""{"choices":[{"index":0,"delta":{},"finish_reason":null}],"x_groq":{"id":"r","error":"secret"}}"""), null),
        ("an event named error with a text", "event: error\ndata: secret\n\n", null),
    }.SelectMany(error => new[]
    {
        Fails(Quirk.Stream($"first, {error.Name}").Send(error.Event).End(), error.IsRetryable),
        Fails(Quirk.Stream($"first, then the end, {error.Name}").Send(error.Event + Sse.Done).End(), error.IsRetryable),
        Fails(Quirk.Stream($"after text, {error.Name}").Send(Sse.Text("Hel"), "Hel").Send(error.Event).Send(Sse.Done).End(), error.IsRetryable),
        // The connection stays open.
        Fails(Quirk.Stream($"after text, then silence, {error.Name}").Send(Sse.Text("Hel"), "Hel").Send(error.Event), error.IsRetryable),
    });

    private static IEnumerable<Quirk> OtherEvents() =>
    [
        Fails(Quirk.Stream("a field named error, each byte by itself").SendBytewise(": hi\n\nevent: message\n" + Sse.Text("Hel"), "Hel")
            .SendBytewise("""error: {"code":500,"message":"secret"}""" + "\n\n", "Hel").End(), true),
        Fails(Quirk.Stream("an event that is no JSON").Send(Sse.Event("{nonsense")), false),
        Fails(Quirk.Stream("an event that is no JSON, after text").Send(Sse.Text("Hel"), "Hel").Send(Sse.Event("{nonsense")), false),
        Fails(Quirk.Stream("an event with half a chunk").Send(Sse.Event(Sse.Text("Hel")[6..60])).End(), null),
        Fails(Quirk.Stream("an event of plain text").Send(Sse.Event("Hello")).End(), null),
        Fails(Quirk.Stream("an event of HTML").Send(Sse.Event("<html></html>")).End(), null),
        Fails(Quirk.Stream("an array of an error").Send(Sse.Event("""[{"error":{"code":400,"message":"secret","status":"INVALID_ARGUMENT"}}]""")).End(), false),
    ];

    private static IEnumerable<Quirk> OtherBodies()
    {
        var events = Sse.Text("Hello") + Sse.Finish() + Sse.Done;
        return
        [
            Fails(Quirk.Json("JSON error with status 200").Send(Json("""{"message":"secret","type":"server_error"}""")).End(), true),
            Fails(Quirk.Json("JSON error with status 200 that is not retryable").Send(Json("""{"message":"secret","type":"invalid_request_error"}""")).End(), false),
            Fails(Quirk.Stream("JSON error as an event stream").Send(Json("""{"message":"secret","type":"server_error"}""")).End(), true),
            Fails(Quirk.Json("pretty JSON error with status 200").Send("{\n  \"error\": {\n    \"message\": \"secret\",\n    \"code\": 400\n  }\n}\n").End(), false),
            Fails(Quirk.Stream("pretty JSON error as an event stream").Send("{\n  \"error\": {\n    \"message\": \"secret\",\n    \"code\": 400\n  }\n}\n").End(), false),
            Fails(Quirk.Json("an array with an error").Send("""[{"error":{"code":400,"message":"secret","status":"INVALID_ARGUMENT"}}]""").End(), false),
            Fails(Quirk.Json("an array with a retryable error").Send("""[{"error":{"code":503,"message":"secret","status":"UNAVAILABLE"}}]""").End(), true),
            Fails(Quirk.Json("JSON that is no completion").Send("""{"hello":"world"}""").End(), null),
            Fails(Quirk.Json("a JSON list of models").Send("""{"object":"list","data":[]}""").End(), null),
            Fails(Quirk.Json("an empty JSON array").Send("[]").End(), null),
            Fails(Quirk.Json("a JSON text").Send("\"Hello\"").End(), null),
            Fails(Quirk.Json("a body that claims to be JSON").Send("{nonsense}").End(), null),
            Fails(new Quirk("an HTML page").Head(200, "text/html").Send(Html).End(), false),
            Fails(new Quirk("an HTML page without an end").Head(200, "text/html").Send(Html), false),
            Fails(new Quirk("an HTML page that floods").Head(200, "text/html").Send(Html).Flood(Html), false),
            Fails(Quirk.Stream("an HTML page as an event stream").Send(Html).End(), false),
            Fails(new Quirk("plain text").Head(200, "text/plain").Send("Ollama is running").End(), null),
            Fails(new Quirk("an image").Head(200, "image/png").Send([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]).End(), null),
            NamesGzip(new Quirk("gzip").Head(200, "text/event-stream", ("Content-Encoding", "gzip")).Send(Gzip(events)).End()),
            NamesGzip(new Quirk("gzip of JSON").Head(200, "application/json", ("Content-Encoding", "gzip")).Send(Gzip("{}")).End()),
            Fails(Quirk.Stream("gzip without its header").Send(Gzip(events)).End(), null),
            Fails(Quirk.Json("gzip of JSON without its header").Send(Gzip("{}")).End(), null),
        ];
    }

    private static List<Quirk> Statuses()
    {
        var body = Json("""{"message":"secret","type":"some_error","code":null}""");
        ReadOnlySpan<int> final = [400, 401, 402, 403, 404, 405, 413, 422];
        ReadOnlySpan<int> unavailable = [408, 429, 502, 503, 504];
        ReadOnlySpan<int> unusual = [520, 529];
        var quirks = new List<Quirk> { Status(500, "JSON", body).Fails(DoneReasons.ResponderError, isRetryable: true) };
        foreach (var status in final)
        {
            quirks.Add(Status(status, "JSON", body).Fails(DoneReasons.ResponderError, isRetryable: false));
        }

        foreach (var status in unavailable)
        {
            quirks.Add(Status(status, "JSON", body).Fails(DoneReasons.ResponderUnavailable, isRetryable: true));
        }

        foreach (var status in unusual)
        {
            quirks.Add(Fails(Status(status, "JSON", body), isRetryable: true));
        }

        return quirks;
    }

    /// <summary>The status alone decides, whatever the body is.</summary>
    private static IEnumerable<Quirk> BodiesOfErrors() =>
    [
        .. BodiesOf(401).Select(quirk => quirk.Fails(DoneReasons.ResponderError, isRetryable: false)),
        .. BodiesOf(429).Select(quirk => quirk.Fails(DoneReasons.ResponderUnavailable, isRetryable: true)),
        .. BodiesOf(500).Select(quirk => quirk.Fails(DoneReasons.ResponderError, isRetryable: true)),
    ];

    private static IEnumerable<Quirk> BodiesOf(int status) =>
    [
        Status(status, "HTML", Html, "text/html"),
        Status(status, "plain text", "no, secret", "text/plain"),
        Status(status, "JSON of its own form", """{"detail":"secret"}"""),
        Status(status, "JSON text", "\"secret\""),
        Status(status, "half of JSON", """{"error":{"message":"sec"""),
        Status(status, "an array", """[{"error":{"message":"secret"}}]"""),
        Status(status, "an error that is a text", """{"error":"secret"}"""),
        Status(status, "an event stream", Sse.Event(Json("""{"message":"secret"}""")), "text/event-stream"),
        Status(status, "no bytes", ""),
        new Quirk($"status {status}, no content type").Head(status, null, ("Content-Length", "0")).End(),
        Quirk.Json($"status {status}, a body that never ends", status).Send("""{"error":{"message":"sec"""),
        Quirk.Json($"status {status}, a body that never starts", status),
        new Quirk($"status {status}, fewer bytes than the length says").Head(status, "text/html", ("Content-Length", "5000")).Send(Html).Close(),
        Quirk.Json($"status {status}, a body that floods", status).Flood(Html),
        Quirk.Json($"status {status}, a reset in the body", status).Send("""{"error":{"message":"sec""").Reset(),
        new Quirk($"status {status}, gzip").Head(status, "application/json", ("Content-Encoding", "gzip")).Send(Gzip(Json("""{"code":"x"}"""))).End(),
        Quirk.Json($"status {status}, 5 MB", status).Send(Json($$"""{"message":"{{new string('x', 5_000_000)}}"}""")).End(),
    ];

    private static IEnumerable<Quirk> CodesOfErrors() =>
    [
        Fails(Status(429, "insufficient_quota", Json("""{"message":"secret","type":"insufficient_quota","code":"insufficient_quota"}""")), false),
        Fails(Status(429, "insufficient_quota as the type", Json("""{"message":"secret","type":"insufficient_quota","code":null}""")), false),
        Status(400, "content_filter", Json("""{"message":"secret","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{}}"""))
            .Fails(DoneReasons.ResponderRefused, false),
        Status(401, "half a pair in a name", """{"\ud83d and more of it":1,"error":{"message":"secret","\ud83d and more of it":1}}""")
            .Fails(DoneReasons.ResponderError, false),
        Status(400, "the key as its code", Json("""{"message":"secret","code":"no_such_sk-secret"}""")).Fails(DoneReasons.ResponderError, false),
        Status(400, "context_length_exceeded", Json("""{"message":"secret","type":"invalid_request_error","code":"context_length_exceeded"}"""))
            .Fails(DoneReasons.ResponderError, false),
    ];

    private static IEnumerable<Quirk> RetryAfter()
    {
        var inTenMinutes = TimeProvider.System.GetUtcNow().AddMinutes(10).ToString("R", CultureInfo.InvariantCulture);
        return
        [
            Waits("in seconds", "7", wait => wait == TimeSpan.FromSeconds(7)),
            Waits("of 0 seconds", "0", wait => wait is null || wait == TimeSpan.Zero),
            // The table is made once, and its tests can run minutes later.
            Waits("as a date", inTenMinutes, wait => wait > TimeSpan.Zero && wait <= TimeSpan.FromMinutes(10)),
            Waits("as a date in the past", "Wed, 21 Oct 2015 07:28:00 GMT", wait => wait is null || wait == TimeSpan.Zero),
            Waits("with a unit", "7s", wait => wait is null),
            Waits("of text", "soon", wait => wait is null),
            Waits("below zero", "-1", wait => wait is null),
            Waits("endlessly below zero", "-Infinity", wait => wait is null),
            Waits("that is twice there", "7\r\nRetry-After: 7", wait => wait == TimeSpan.FromSeconds(7)),
            Waits("larger than 32 bits", "99999999999999", wait => wait is null || wait > TimeSpan.Zero),
            Waits("of nothing", "", wait => wait is null),
            Waits("missing", null, wait => wait is null),
        ];
    }

    private static Quirk Waits(string name, string? value, Func<TimeSpan?, bool> check)
    {
        (string, string)[] headers = value is null ? [("Content-Length", "2")] : [("Content-Length", "2"), ("Retry-After", value)];
        var quirk = new Quirk($"Retry-After {name}").Head(429, "application/json", headers).Send("{}").Fails(DoneReasons.ResponderUnavailable, true);
        return quirk with { Outcome = quirk.Outcome with { RetryAfter = check } };
    }

    private static Quirk Status(int status, string name, string body, string contentType = "application/json") =>
        new Quirk($"status {status}, {name}").Head(status, contentType, ("Content-Length", $"{Encoding.UTF8.GetByteCount(body)}")).Send(body).End();

    /// <summary>What is retryable may be unavailable, too. Nothing here is a cut.</summary>
    private static Quirk Fails(Quirk quirk, bool? isRetryable) => isRetryable == false
        ? quirk.Fails(DoneReasons.ResponderError, false)
        : quirk.FailsWithOneOf(isRetryable, DoneReasons.ResponderError, DoneReasons.ResponderUnavailable);

    private static Quirk NamesGzip(Quirk quirk) =>
        quirk with { Outcome = new QuirkOutcome { FailureReasons = [DoneReasons.ResponderError], MessageWord = "gzip" } };

    private static string Error(string error) => Sse.Event(Json(error));

    private static string Json(string error) => $$"""{"error":{{error}}}""";

    private static byte[] Gzip(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return compressed.ToArray();
    }
}
