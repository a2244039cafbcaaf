using System.Text;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>Fields, lines and bytes that differ from OpenAI's, around a text that is whole. Each answer completes with all of it.</summary>
public sealed class OddFieldQuirks
{
    private static readonly QuirkTable Table = new([.. Fields(), .. ChunksWithoutText(), .. Ends(), .. Lines(), .. Characters()]);

    public static TheoryData<string> Names => Table.Names;

    /// <summary>What servers write as a content encoding although nothing is compressed.</summary>
    private static string[] NoCodings => ["none", "utf-8", "aws-chunked", ""];

    [Theory]
    [MemberData(nameof(Names))]
    public Task Answer_IsWhole(string quirk) => Table.RunAsync(quirk);

    /// <summary>Chunks with text. TEXT is a JSON string.</summary>
    private static IEnumerable<Quirk> Fields() =>
    [
        Field("finish_reason is empty", """{"choices":[{"index":0,"delta":{"content":TEXT},"finish_reason":""}]}"""),
        Field("finish_reason is the text null", """{"choices":[{"index":0,"delta":{"content":TEXT},"finish_reason":"null"}]}"""),
        Field("finish_reason is missing", """{"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("role is empty", """{"choices":[{"index":0,"delta":{"role":"","content":TEXT},"finish_reason":null}]}"""),
        Field("role is null", """{"choices":[{"index":0,"delta":{"role":null,"content":TEXT},"finish_reason":null}]}"""),
        Field("role is in each chunk", """{"choices":[{"index":0,"delta":{"role":"assistant","content":TEXT},"finish_reason":null}]}"""),
        Field("role is unknown", """{"choices":[{"index":0,"delta":{"role":"model","content":TEXT},"finish_reason":null}]}"""),
        Field("role is a number", """{"choices":[{"index":0,"delta":{"role":1,"content":TEXT},"finish_reason":null}]}"""),
        Field("created is in milliseconds", """{"created":1700000000123,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("created has a fraction", """{"created":1700000000.25,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("created has an exponent", """{"created":1.7e9,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("created is a text", """{"created":"1700000000","choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("created is null", """{"created":null,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("created is larger than 64 bits", """{"created":99999999999999999999999,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("id is null", """{"id":null,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("id is a number", """{"id":17,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("id is empty", """{"id":"","choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("only choices", """{"choices":[{"delta":{"content":TEXT}}]}"""),
        Field("object is empty", """{"object":"","choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("object is another", """{"object":"chat.completion","choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("object is null", """{"object":null,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("model is null", """{"model":null,"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("model is an object", """{"model":{"name":"m"},"choices":[{"index":0,"delta":{"content":TEXT}}]}"""),
        Field("usage is null", """{"choices":[{"index":0,"delta":{"content":TEXT}}],"usage":null}"""),
        Field("usage has null counts", """{"choices":[{"delta":{"content":TEXT}}],"usage":{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}}"""),
        Field("usage has fractions", """{"choices":[{"delta":{"content":TEXT}}],"usage":{"prompt_tokens":3.0,"completion_tokens":1.5,"total_tokens":4.5}}"""),
        Field("usage has texts", """{"choices":[{"delta":{"content":TEXT}}],"usage":{"prompt_tokens":"3","completion_tokens":"1"}}"""),
        Field("usage has a negative count", """{"choices":[{"delta":{"content":TEXT}}],"usage":{"prompt_tokens":-1,"completion_tokens":2}}"""),
        Field("usage is in each chunk", """{"choices":[{"delta":{"content":TEXT}}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"""),
        Field(
            "usage has null details",
            """{"choices":[{"delta":{"content":TEXT}}],"usage":{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":null,"completion_tokens_details":{"reasoning_tokens":null}}}"""),
        Field("usage is a text", """{"choices":[{"delta":{"content":TEXT}}],"usage":"none"}"""),
        Field("usage is beside the text of the choice", """{"choices":[{"delta":{"content":TEXT},"usage":{"prompt_tokens":3}}]}"""),
        Field(
            "logprobs are objects",
            """{"choices":[{"delta":{"content":TEXT},"logprobs":{"content":[{"token":"a","logprob":-0.1,"bytes":[97],"top_logprobs":[]}],"refusal":null}}]}"""),
        Field("logprobs are of the old form", """{"choices":[{"delta":{"content":TEXT},"logprobs":{"tokens":["a"],"token_logprobs":[null],"top_logprobs":null}}]}"""),
        Field("logprobs are null", """{"choices":[{"delta":{"content":TEXT},"logprobs":null}]}"""),
        Field("system_fingerprint is null", """{"system_fingerprint":null,"choices":[{"delta":{"content":TEXT}}]}"""),
        Field("system_fingerprint is a number", """{"system_fingerprint":7,"choices":[{"delta":{"content":TEXT}}]}"""),
        Field("service_tier is unknown", """{"service_tier":"on_demand","choices":[{"delta":{"content":TEXT}}]}"""),
        Field("index is a text", """{"choices":[{"index":"0","delta":{"content":TEXT}}]}"""),
        Field("index is null", """{"choices":[{"index":null,"delta":{"content":TEXT}}]}"""),
        Field("content is an array of text parts", """{"choices":[{"delta":{"content":[{"type":"text","text":TEXT}]}}]}"""),
        Field(
            "content is an array with thinking in it",
            """{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hmm"}]},{"type":"text","text":TEXT}]}}]}"""),
        Field("tool_calls are empty", """{"choices":[{"delta":{"content":TEXT,"tool_calls":[]}}]}"""),
        Field("tool_calls and function_call are null", """{"choices":[{"delta":{"content":TEXT,"tool_calls":null,"function_call":null}}]}"""),
        Field("refusal is empty", """{"choices":[{"delta":{"content":TEXT,"refusal":""}}]}"""),
        Field("refusal is null", """{"choices":[{"delta":{"content":TEXT,"refusal":null}}]}"""),
        Field("reasoning is null", """{"choices":[{"delta":{"content":TEXT,"reasoning":null,"reasoning_content":null}}]}"""),
        Field("error is null", """{"error":null,"choices":[{"delta":{"content":TEXT},"error":null}]}"""),
        Field("a key comes twice", """{"id":"a","id":"b","choices":[{"index":0,"index":0,"delta":{"content":TEXT,"content":TEXT}}]}"""),
        Field("a filter's results are beside the text", """{"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":TEXT}}]}"""),
        Field("an unknown field has 100 KB", $$$"""{"padding":"{{{new string('x', 100_000)}}}","choices":[{"delta":{"content":TEXT}}]}"""),
        Field("an unknown field is 60 levels deep", $$$"""{"deep":{{{new string('[', 60)}}}{{{new string(']', 60)}}},"choices":[{"delta":{"content":TEXT}}]}"""),
        Field("white space is before and in the JSON", "  \t { \"choices\" : [ { \"delta\" : { \"content\" : TEXT } } ] } "),
        Field("error is an empty text", """{"error":"","choices":[{"delta":{"content":TEXT},"error":""}]}"""),
        Field("error is an empty object", """{"error":{},"choices":[{"delta":{"content":TEXT},"error":{}}]}"""),
        Field("error is an empty array", """{"error":[],"choices":[{"delta":{"content":TEXT},"error":[]}]}"""),
        Field("error is 0", """{"error":0,"choices":[{"delta":{"content":TEXT},"error":0}]}"""),
        Field("error is false", """{"error":false,"choices":[{"delta":{"content":TEXT},"error":false}]}"""),
        Field("an unknown field is 900 levels deep", $$$"""{"deep":{{{new string('[', 900)}}}{{{new string(']', 900)}}},"choices":[{"delta":{"content":TEXT}}]}"""),
        Field("numbers that JSON does not have", """{"speed":NaN,"all":[Infinity,-Infinity],"choices":[{"delta":{"content":TEXT}}]}"""),
        Field("a control character in a text that nobody uses", "{\"note\":\"a\tb\\\"\u0001 NaN\",\"choices\":[{\"delta\":{\"content\":TEXT}}]}"),
        Field("a name with half a pair", """{"\ud83d and more of it":1,"choices":[{"\ud83d and more of it":1,"delta":{"\ud83d and more of it":1,"content":TEXT}}]}"""),
        Field("choices come after other objects with choices", """{"x":{"choices":[{"delta":{"content":"no"}}]},"choices":[{"delta":{"content":TEXT}}]}"""),
    ];

    /// <summary>Events without text: they come first, between two pieces of text, and last.</summary>
    private static IEnumerable<Quirk> ChunksWithoutText() =>
    [
        Between("content is null", Sse.Delta("""{"role":"assistant","content":null}""")),
        Between("content is empty", Sse.Delta("""{"content":""}""")),
        Between("content is an empty array", Sse.Delta("""{"content":[]}""")),
        Between("delta is empty", Sse.Delta("{}")),
        Between("delta is null", Sse.Delta("null")),
        Between("delta is missing", Sse.Choice("""{"index":0}""")),
        Between("choices are empty", Sse.Event("""{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}""")),
        Between("choices are null", Sse.Event("""{"id":"1","choices":null}""")),
        Between("choices are missing", Sse.Event("""{"id":"1","object":"chat.completion.chunk"}""")),
        Between("usage with empty choices", Sse.Event("""{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}""")),
        Between("usage without choices", Sse.Event("""{"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}""")),
        Between("an empty data line", "data:\n\n"),
        Between("an empty data line with a space", "data: \n\n"),
        Between("a comment", ": keep-alive\n\n"),
        Between("a comment that is not followed by an empty line", ": keep-alive\n"),
        Between("a colon alone", ":\n\n"),
        Between("empty lines", "\n\n\n"),
        Between("a ping with an object", "event: ping\ndata: {\"type\":\"ping\"}\n\n"),
        Between("a ping without data", "event: ping\n\n"),
        Between("a ping with a word", "event: ping\ndata: ping\n\n"),
        Between("a greeting with words", "event: open\ndata: connected to 1\n\n"),
        Between("the state of a request that waits", Sse.Event("""{"status":"processing","message":"queued"}""")),
        Between("a code that means success", Sse.Event("""{"code":0,"message":"success"}""")),
        Between("a status that means success", Sse.Event("""{"code":200,"message":"ok","detail":""}""")),
        Between("an empty object", Sse.Event("{}")),
        Between("an unknown line", "unknown: yes\n\n"),
    ];

    /// <summary>What comes after the last text.</summary>
    private static IEnumerable<Quirk> Ends() =>
    [
        End("the last chunk has no delta", Sse.Choice("""{"index":0,"finish_reason":"stop"}""") + Sse.Done),
        End("the last chunk has a null delta", Sse.Choice("""{"index":0,"delta":null,"finish_reason":"stop"}""") + Sse.Done),
        End("the finish reason has another name", Sse.Choice("""{"index":0,"delta":{},"finish_reason":null,"finishReason":"stop"}""")),
        End("the last chunk has an empty text", Sse.Choice("""{"index":0,"delta":{"role":"","content":""},"finish_reason":"stop"}""") + Sse.Done),
        End("the finish reason comes twice", Sse.Finish() + Sse.Finish() + Sse.Done),
        End("an empty finish reason comes after the real one", Sse.Finish() + Sse.Finish("") + Sse.Done),
        End("usage comes between the finish reason and the end", Sse.Finish() + Sse.Event("""{"choices":[],"usage":{"prompt_tokens":3}}""") + Sse.Done),
        End("usage comes after the end", Sse.Finish() + Sse.Done + Sse.Event("""{"choices":[],"usage":{"prompt_tokens":3}}""")),
        End("the end comes without a space", Sse.Finish() + "data:[DONE]\n\n"),
        End("the end comes with many spaces", Sse.Finish() + "data:   [DONE]  \n\n"),
        End("the end comes twice", Sse.Finish() + Sse.Done + Sse.Done),
        End("the end without its empty line", Sse.Finish() + "data: [DONE]"),
        End("the end is an event of its own name", Sse.Finish() + "event: done\ndata: [DONE]\n\n"),
        End("the last chunk without its empty line", Sse.Finish().TrimEnd('\n') + "\n"),
        End("the last chunk without any line end", Sse.Finish().TrimEnd('\n')),
        // Both the last text and the finish reason are in a line that nothing ends.
        Quirk.Stream("the last text without its empty line").Send(Sse.Text("Hel"), "Hel")
            .Send(Sse.Choice("""{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}""").TrimEnd('\n')).End().Completes("Hello"),
    ];

    private static IEnumerable<Quirk> Lines()
    {
        var (first, second, end) = (Sse.Text("Hel"), Sse.Text("lo"), Sse.Finish() + Sse.Done);
        return
        [
            Rewritten("lines end with CR LF", text => text.Replace("\n", "\r\n", StringComparison.Ordinal)),
            Rewritten("no space after the colon", text => text.Replace("data: ", "data:", StringComparison.Ordinal)),
            Rewritten("a name before each event", text => "event: message\n" + text),
            Rewritten("an id and a time before each event", text => "id: 1\nretry: 3000\n" + text),
            Rewritten("a name after the data of each event", text => text.TrimEnd('\n') + "\nevent: chunk\n\n"),
            Rewritten("a comment in each event", text => ": hi\n" + text),
            Rewritten("JSON over several lines of data", text => text.Replace("\"choices\"", "\ndata: \"choices\"", StringComparison.Ordinal)),
            Rewritten(
                "JSON over several lines of data that end with CR LF",
                text => text.Replace("\"choices\"", "\ndata: \"choices\"", StringComparison.Ordinal).Replace(",\"choices", "\ndata: ,\"choices", StringComparison.Ordinal)
                    .Replace("\n", "\r\n", StringComparison.Ordinal)),
            Quirk.Stream("JSON over three lines of data, each of which could be a value").Send("data: {\r\ndata: \"choices\":\r\ndata: [{\"delta\":{\"content\":\"Hel\"}}]\r\ndata: }\r\n\r\n", "Hel")
                .Send(second, "Hello").Send(end).End().Completes(),
            Rewritten("one line end after each event", text => text.TrimEnd('\n') + "\n"),
            Rewritten("one CR LF after each event", text => text.TrimEnd('\n') + "\r\n"),
            Rewritten("JSON without a name on each line", text => text["data: ".Length..].TrimEnd('\n') + "\n"),
            Quirk.Stream("one line end after the last event, and the connection stays open").Send(first + second + Sse.Finish() + "data: [DONE]\n").Completes("Hello"),
            // Where a CR ends a piece, a reader may wait for the LF that can follow, so the text may be late.
            Quirk.Stream("lines end with CR").Send(first.Replace('\n', '\r')).Send(second.Replace('\n', '\r'))
                .Send(end.Replace('\n', '\r')).End().Completes("Hello"),
            Quirk.Stream("a byte order mark at the start").Send("\ufeff" + first, "Hel").Send(second, "Hello").Send(end).End().Completes(),
            Quirk.Stream("each byte by itself").SendBytewise(Sse.Text("Hé€"), "Hé€").SendBytewise(Sse.Text("\U0001F600!"), "Hé€\U0001F600!")
                .SendBytewise(end, "Hé€\U0001F600!").End().Completes(),
            Quirk.Stream("each byte by itself, with CR LF").SendBytewise(first.Replace("\n", "\r\n", StringComparison.Ordinal), "Hel")
                .SendBytewise(second.Replace("\n", "\r\n", StringComparison.Ordinal), "Hello").SendBytewise(end, "Hello").End().Completes(),
            Quirk.Stream("many events in one segment").Send(first + second + Sse.Text(" you"), "Hello you").Send(end).End().Completes(),
            Quirk.Stream("the whole answer in one segment").Send(first + second + end, "Hello").End().Completes(),
            Quirk.Stream("an event and a half").Send(first + second[..30], "Hel").Send(second[30..], "Hello").Send(end).End().Completes(),
            new Quirk("no content type").Head(200, null).Send(first, "Hel").Send(second, "Hello").Send(end).End().Completes(),
            new Quirk("the content type has parameters").Head(200, "text/event-stream; charset=utf-8").Send(first, "Hel").Send(second, "Hello").Send(end).End().Completes(),
            new Quirk("the content type is in capitals").Head(200, "TEXT/EVENT-STREAM;charset=UTF-8").Send(first, "Hel").Send(second, "Hello").Send(end).End().Completes(),
            new Quirk("the content type is that of JSON").Head(200, "application/json").Send(first, "Hel").Send(second, "Hello").Send(end).End().Completes(),
            new Quirk("the content type is plain text").Head(200, "text/plain").Send(first, "Hel").Send(second, "Hello").Send(end).End().Completes(),
            .. NoCodings.Select(coding => new Quirk($"the content encoding is '{coding}'")
                .Head(200, "text/event-stream", ("Content-Encoding", coding)).Send(first, "Hel").Send(second, "Hello").Send(end).End().Completes()),
            new Quirk("the body ends with the connection").Head(200, "text/event-stream", ("Connection", "close"))
                .Send(first, "Hel").Send(second, "Hello").Send(end).Close().Completes(),
        ];
    }

    private static IEnumerable<Quirk> Characters()
    {
        var end = Sse.Finish() + Sse.Done;
        var smile = Encoding.UTF8.GetBytes(Sse.Text("\U0001F600"));
        var middle = smile.AsSpan().IndexOf((byte)0xF0) + 2;
        return
        [
            Quirk.Stream("a segment ends in the middle of a character").Send(smile[..middle], "").Send(smile[middle..], "\U0001F600").Send(end).End().Completes(),
            Quirk.Stream("an escaped pair in one chunk").Send(Sse.Delta("""{"content":"\ud83d\ude00"}"""), "\U0001F600").Send(end).End().Completes(),
            // The first half may come by itself or with the second.
            Quirk.Stream("the halves of an escaped pair in two chunks").Send(Sse.Text("Hi "), "Hi ").Send(Sse.Delta("""{"content":"\ud83d"}"""))
                .Send(Sse.Delta("""{"content":"\ude00"}"""), "Hi \U0001F600").Send(Sse.Text("!"), "Hi \U0001F600!").Send(end).End().Completes(),
            Quirk.Stream("the halves of an escaped pair with text around them").Send(Sse.Delta("""{"content":"Hi \uD83D"}"""))
                .Send(Sse.Delta("""{"content":"\uDE00!"}"""), "Hi \U0001F600!").Send(end).End().Completes(),
            Quirk.Stream("the bytes of a character in two chunks").Send(Sse.Text("Hi "), "Hi ").Send(WithBytes(0xF0, 0x9F)).Send(WithBytes(0x98, 0x80), "Hi \U0001F600")
                .Send(Sse.Text("!"), "Hi \U0001F600!").Send(end).End().Completes(),
            Quirk.Stream("the bytes of a character in three chunks").Send(WithBytes(0xE2)).Send(WithBytes(0x82)).Send(WithBytes(0xAC), "€")
                .Send(Sse.Text("!"), "€!").Send(end).End().Completes(),
            Broken("a lone first half", Encoding.UTF8.GetBytes(Sse.Delta("""{"content":"\ud83d"}"""))),
            Broken("a lone second half", Encoding.UTF8.GetBytes(Sse.Delta("""{"content":"\ude00"}"""))),
            Broken("a byte that is no character", WithBytes(0xFF)),
            Broken("the first bytes of a character without the rest", WithBytes(0xF0, 0x9F)),
            Quirk.Stream("a lone first half at the end").Send(Sse.Text("Hello"), "Hello").Send(Sse.Delta("""{"content":"\ud83d"}""")).Send(end).End()
                .Completes("Hello") with { HasBrokenCharacters = true },
            Quirk.Stream("a zero character").Send(Sse.Delta("""{"content":"a\u0000b"}"""), "a\0b").Send(end).End().Completes(),
            Quirk.Stream("a tab that is not escaped").Send("data: {\"choices\":[{\"delta\":{\"content\":\"a\tb\"}}]}\n\n", "a\tb").Send(end).End().Completes(),
            Quirk.Stream("line ends in the text").Send(Sse.Delta("""{"content":"a\r\n\n\u2028b"}"""), "a\r\n\n\u2028b").Send(end).End().Completes(),
            Quirk.Stream("a text that looks like an event").Send(Sse.Text("data: [DONE]\n\n"), "data: [DONE]\n\n").Send(end).End().Completes(),
        ];
    }

    private static Quirk Field(string name, string chunk) => Quirk.Stream(name)
        .Send(Sse.Text("Hel"), "Hel").Send(Sse.Event(WithText(chunk, "lo")), "Hello").Send(Sse.Event(WithText(chunk, " you")), "Hello you")
        .Send(Sse.Text("!"), "Hello you!").Send(Sse.Finish() + Sse.Done).End().Completes();

    private static string WithText(string chunk, string text) => chunk.Replace("TEXT", Sse.Quote(text), StringComparison.Ordinal);

    private static Quirk Between(string name, string events) => Quirk.Stream(name)
        .Send(events, "").Send(Sse.Text("Hel"), "Hel").Send(events, "Hel").Send(events).Send(Sse.Text("lo"), "Hello").Send(events, "Hello")
        .Send(Sse.Finish() + Sse.Done).End().Completes();

    private static Quirk End(string name, string events) =>
        Quirk.Stream(name).Send(Sse.Text("Hel"), "Hel").Send(Sse.Text("lo"), "Hello").Send(events).End().Completes();

    private static Quirk Rewritten(string name, Func<string, string> rewrite) => Quirk.Stream(name)
        .Send(rewrite(Sse.Text("Hel")), "Hel").Send(rewrite(Sse.Text("lo")), "Hello").Send(rewrite(Sse.Finish())).Send(rewrite(Sse.Done)).End().Completes();

    /// <summary>The text goes on around what is broken.</summary>
    private static Quirk Broken(string name, byte[] chunk) => Quirk.Stream(name)
        .Send(Sse.Text("Hel")).Send(chunk).Send(Sse.Text("lo")).Send(Sse.Finish() + Sse.Done).End().Completes("Hello") with
    { HasBrokenCharacters = true };

    /// <summary>A chunk with these bytes as its text.</summary>
    private static byte[] WithBytes(params byte[] bytes)
    {
        var parts = Sse.Text("?").Split('?');
        return [.. Encoding.UTF8.GetBytes(parts[0]), .. bytes, .. Encoding.UTF8.GetBytes(parts[1])];
    }
}
