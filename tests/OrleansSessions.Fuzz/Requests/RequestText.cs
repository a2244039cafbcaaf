using System.Globalization;
using System.Text;
using OrleansSessions.Fuzz.Inputs;

namespace OrleansSessions.Fuzz.Requests;

/// <summary>Makes HTTP/1.1 requests, most of them valid in form.</summary>
internal static class RequestText
{
    /// <summary>Stands for the host and port of the server, which are others in each run.</summary>
    public const string Authority = "AUTHORITY";

    private static readonly string[] Methods = ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH", "get", "TRACE", "BREW"];

    private static readonly string[] Sessions =
    [
        "r-0", "r-1", "r-2", "r-3", "r-4", "r-5", "r-6", "r-7", ".", "..", "%2e%2e", "a%20b", "%00", "%ff", "%C3%BC", "a%2Fb", "a%2", "", "ü",
        "r-0;x", "r-0%0d%0aX:1",
    ];

    private static readonly string[] AnswerLines =
    [
        """{"attempt":1,"text":"a"}""", """{"text":"b"}""", "", """{"text":"c","final":true}""", """{"attempt":1,"offset":0,"text":"x"}""",
    ];

    private static readonly string[] OddPaths =
    [
        "/v1/sessions", "/v1/sessions/", "/v1//sessions", "/v1/sessions/a/b/c/d/e", "/V1/Sessions/r-0", "/", "*", "http://AUTHORITY/v1/sessions/r-0",
        "//",
    ];

    private static readonly string[] Questions = ["q-1", "q-2", "q-3", "q-8", "..", "%ff", "a b", "", "~"];

    private static readonly string[] QueryParts =
    [
        "limit=3", "limit=0", "limit=101", "limit=x", "limit=", "after=0", "after=3", "after=-1", "after=9007199254740992", "after=x", "epoch=e1",
        "epoch=", "epoch=%ff",
        "question=q-1", "question=..", "question=nope", "v=1", "v=2", "v=", "%00=1", "after=1&after=2", "a[b]=c", "limit=%F0%9F%98%80",
    ];

    private static readonly string[] Headers =
    [
        "Content-Type: application/json", "Content-Type: text/plain", "Content-Type: application/vnd.x+json; charset=utf-8",
        "Content-Type: application/x-ndjson",
        "Content-Type: application/json; charset=utf-16", "Content-Type: ;;", "Content-Type: ", "Content-Encoding: gzip",
        "Accept: text/event-stream", "Accept: text/event-stream;q=0",
        "Accept: */*, ,;q", "Prefer: wait=1", "Prefer: wait=0", "Prefer: wait=-5", "Prefer: wait=99999999999999999999",
        "Prefer: respond-async, wait = \"1\"", "Prefer: wait",
        "Idempotency-Key: q-1", "Idempotency-Key: \"q-2\"", "Idempotency-Key: a b", "Idempotency-Key: ", "Last-Event-ID: e1.2", "Last-Event-ID: e1",
        "Last-Event-ID: .", "Last-Event-ID: e1.-1",
        "Last-Event-ID: e1.99999999999999999999", "Origin: http://AUTHORITY", "Origin: https://app.example", "Origin: https://evil.example",
        "Origin: null", "Origin: ::", "Origin: ",
        "Authorization: Bearer x.y.z", "Authorization: ", "Sec-WebSocket-Protocol: sessions.v1.json", "Sec-WebSocket-Protocol: other, ,",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Key: no", "Sec-WebSocket-Extensions: permessage-deflate", "Upgrade: websocket",
        "Upgrade: h2c", "Connection: Upgrade", "Connection: close",
        "Expect: 100-continue", "Expect: x", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "traceparent: 00-0-0-0",
        "X-Forwarded-For: 1.2.3.4", "Cookie: a=b; c",
        "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-a, \u00fc", "Range: bytes=0-1", "If-None-Match: *", "TE: trailers",
    ];

    private static readonly string[] OddHosts = ["localhost", "evil.example", "[::1]:80", "127.0.0.1:99999", "", "a b", "\u00fc"];

    public static byte[] Create(Random random)
    {
        var body = Body(random);
        var head = new StringBuilder();
        var (method, target) = Target(random);
        head.Append(random.Chance(0.85) ? method : random.Pick(Methods)).Append(' ').Append(target);
        head.Append(random.Chance(0.98) ? " HTTP/1.1\r\n" : random.Pick([" HTTP/1.0\r\n", " HTTP/9.9\r\n", "\r\n"]));
        head.Append("Host: ").Append(random.Chance(0.95) ? Authority : random.Pick(OddHosts)).Append("\r\n");
        AppendHeaders(head, random, body.Length);
        byte[] request = [.. Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()), .. body];
        return random.Chance(0.15) ? random.Damage(request) : request;
    }

    private static (string Method, string Target) Target(Random random)
    {
        var session = random.Chance(0.8) ? $"r-{random.Next(8)}" : random.Pick(Sessions);
        var question = random.Chance(0.8) ? $"q-{random.Next(4)}" : random.Pick(Questions);
        var (method, path) = random.Next(15) switch
        {
            <= 3 => ("POST", $"/v1/sessions/{session}/questions"),
            4 => ("GET", $"/v1/sessions/{session}/questions"),
            5 => ("GET", $"/v1/sessions/{session}/questions/{question}"),
            6 => ("POST", $"/v1/sessions/{session}/questions/{question}/cancel"),
            <= 8 => ("POST", $"/v1/sessions/{session}/questions/{question}/answer"),
            9 => ("POST", $"/v1/sessions/{session}/response"),
            10 => ("GET", $"/v1/sessions/{session}/events"),
            11 => ("GET", $"/v1/sessions/{session}"),
            12 => ("GET", $"/ws/{session}"),
            13 => ("DELETE", $"/v1/sessions/{session}"),
            _ => ("GET", random.Chance(0.5) ? random.Pick(OddPaths) : $"/v1/sessions/{session}/{random.Pick(["nope", "%2e", "questions/", "events/x"])}"),
        };
        var query = string.Join('&', Enumerable.Range(0, random.Next(4)).Select(_ => random.Pick(QueryParts)));
        return (method, query.Length > 0 && random.Chance(0.5) ? $"{path}?{query}" : path);
    }

    private static void AppendHeaders(StringBuilder head, Random random, int bodyLength)
    {
        if (random.Chance(0.7))
        {
            head.Append(random.Chance(0.8) ? Headers[0] : Headers[3]).Append("\r\n");
        }

        for (var headers = random.Next(4); headers > 0; headers--)
        {
            head.Append(random.Pick(Headers)).Append("\r\n");
        }

        head.Append(random.Next(25) switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"Content-Length: {bodyLength + 7}\r\n"),
            1 => $"Content-Length: {random.Pick(["-1", "x", "99999999999999999999", "5\r\nContent-Length: 6"])}\r\n",
            2 => "Transfer-Encoding: chunked\r\n",
            3 => "Transfer-Encoding: gzip\r\n",
            4 => "",
            _ => string.Create(CultureInfo.InvariantCulture, $"Content-Length: {bodyLength}\r\n"),
        });
    }

    private static byte[] Body(Random random) => random.Next(12) switch
    {
        0 => [],
        1 => Chunks(random),
        2 => Lines(random),
        <= 5 => Question(random),
        6 => """{"response":"All of it."}"""u8.ToArray(),
        _ => random.Message(),
    };

    private static byte[] Chunks(Random random) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $"{random.Next(40):x}\r\n{{\"question\":\"a\"}}\r\n0\r\n\r\n"));

    private static byte[] Question(Random random) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $$"""{"question":"What?","id":"q-{{random.Next(4)}}","if_busy":"{{random.Pick(["queue", "replace", "reject"])}}"}"""));

    private static byte[] Lines(Random random)
    {
        var lines = new List<byte>();
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            lines.AddRange(random.Chance(0.6) ? Encoding.UTF8.GetBytes(random.Pick(AnswerLines)) : random.Message());
            lines.AddRange(random.Chance(0.8) ? "\n"u8 : "\r\n"u8);
        }

        return [.. lines];
    }
}
