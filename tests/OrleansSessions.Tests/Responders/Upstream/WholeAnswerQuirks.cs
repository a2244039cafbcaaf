using OrleansSessions.Protocol;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>Answers that come as a whole, and how answers end.</summary>
public sealed class WholeAnswerQuirks
{
    private const string Completion =
        """{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}""";

    private const string PrettyCompletion = """
        {
          "id": "c",
          "object": "chat.completion",
          "choices": [
            {
              "index": 0,
              "message": {
                "role": "assistant",

                "content": "Hello"
              },
              "finish_reason": "stop"
            }
          ]
        }

        """;

    private static readonly QuirkTable Table = new([.. Bodies(), .. Events(), .. Reasons(), .. EndsAfterTheReason(), .. Cuts()]);

    public static TheoryData<string> Names => Table.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Answer_EndsAsItMust(string quirk) => Table.RunAsync(quirk);

    /// <summary>The upstream ignores that a stream was requested.</summary>
    private static IEnumerable<Quirk> Bodies() =>
    [
        Quirk.Json("one JSON body").Send(Completion).End().Completes("Hello"),
        Quirk.Json("one JSON body in pieces").Send(Completion[..50]).Send(Completion[50..120]).Send(Completion[120..]).End().Completes("Hello"),
        Quirk.Json("a pretty JSON body").Send(PrettyCompletion).End().Completes("Hello"),
        Quirk.Json("a JSON body after white space").Send("\n \r\n").Send(Completion).End().Completes("Hello"),
        Quirk.Json("a JSON body after a byte order mark").Send("\ufeff" + Completion).End().Completes("Hello"),
        new Quirk("a JSON body with its length").Head(200, "application/json; charset=utf-8", ("Content-Length", $"{Completion.Length}"))
            .Send(Completion).Completes("Hello"),
        Quirk.Stream("one JSON body as an event stream").Send(Completion).End().Completes("Hello"),
        Quirk.Stream("a pretty JSON body as an event stream").Send(PrettyCompletion).End().Completes("Hello"),
        Quirk.Stream("a JSON body after white space as an event stream").Send("\n \n").Send(Completion).End().Completes("Hello"),
        new Quirk("one JSON body without a content type").Head(200, null).Send(Completion).End().Completes("Hello"),
        Quirk.Json("a JSON body with a legacy text").Send("""{"object":"text_completion","choices":[{"text":"Hello","finish_reason":"stop"}]}""").End().Completes("Hello"),
        Quirk.Json("a JSON body with text parts")
            .Send("""{"choices":[{"message":{"content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]},"finish_reason":"stop"}]}""").End().Completes("Hello"),
        Quirk.Json("a JSON body with reasoning")
            .Send("""{"choices":[{"message":{"content":"Hello","reasoning_content":"Hmm","tool_calls":[],"refusal":null},"finish_reason":"stop"}]}""").End().Completes("Hello"),
        Quirk.Json("a JSON body without a finish reason").Send("""{"choices":[{"message":{"content":"Hello"}}]}""").End().Completes("Hello"),
        Quirk.Json("a JSON body that stops for its length").Send(Completion.Replace("\"stop\"", "\"length\"", StringComparison.Ordinal)).End()
            .IsIncomplete(DoneReasons.Length, "Hello"),
        Refused(Quirk.Json("a JSON body with a refusal").Send("""{"choices":[{"message":{"content":null,"refusal":"I cannot."},"finish_reason":"stop"}]}""").End()),
        Refused(Quirk.Json("a JSON body that a filter stopped").Send("""{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}""").End()),
    ];

    private static IEnumerable<Quirk> Events() =>
    [
        Quirk.Stream("one event with a whole completion").Send(Sse.Event(Completion), "Hello").Send(Sse.Done).End().Completes(),
        Quirk.Stream("one event with a whole completion, without an end").Send(Sse.Event(Completion), "Hello").End().Completes(),
        Quirk.Stream("a message in place of the delta").Send(Message("Hel"), "Hel").Send(Message("lo"), "Hello").Send(Sse.Finish() + Sse.Done).End().Completes(),
        // The message repeats what the deltas have said so far.
        Quirk.Stream("a message beside the delta").Send(Both("Hel", "Hel"), "Hel").Send(Both("lo", "Hello"), "Hello").Send(Sse.Finish() + Sse.Done).End().Completes(),
        Quirk.Stream("a whole message beside the last delta").Send(Sse.Text("Hel"), "Hel").Send(Sse.Text("lo"), "Hello")
            .Send(Sse.Choice("""{"index":0,"delta":{},"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}"""), "Hello")
            .Send(Sse.Done).End().Completes(),
        Quirk.Stream("a legacy text").Send(Sse.Choice("""{"index":0,"text":"Hel","finish_reason":null}"""), "Hel")
            .Send(Sse.Choice("""{"index":0,"text":"lo","finish_reason":null}"""), "Hello").Send(Sse.Choice("""{"text":"","finish_reason":"stop"}""") + Sse.Done)
            .End().Completes(),
        Quirk.Stream("the text beside an empty delta").Send(Sse.Choice("""{"index":0,"delta":{},"text":"Hel","finish_reason":null}"""), "Hel")
            .Send(Sse.Choice("""{"index":0,"delta":{},"text":"lo","finish_reason":"stop"}"""), "Hello").End().Completes(),
        Quirk.Stream("usage alone between two pieces of text").Send(Sse.Text("Hel"), "Hel").Send(Usage(1)).Send(Sse.Text("lo"), "Hello").Send(Usage(2)).End().Completes(),
        Quirk.Stream("usage alone, then a long pause, then more text").Send(Sse.Text("Hel"), "Hel").SendAlive(Usage(1)).Pause(60).Send(Sse.Text("lo"), "Hello")
            .Send(Usage(2)).End().Completes(),
        Cut(Quirk.Stream("usage alone before the last text, without an end").Send(Sse.Text("Hel"), "Hel").Send(Usage(1)).Send(Sse.Text("lo"), "Hello").End()),
        Quirk.Stream("a finish reason in each chunk, which come slowly").SendAlive(Sse.Choice("""{"delta":{"reasoning":"Hmm"},"finish_reason":"stop"}""")).Pause(2.5)
            .Send(Sse.Choice("""{"delta":{"content":"Hel"},"finish_reason":"stop"}"""), "Hel").Pause(2.5)
            .Send(Sse.Choice("""{"delta":{"content":"lo"},"finish_reason":"stop"}"""), "Hello").End().Completes(),
        Quirk.Stream("the text and the finish reason in one chunk")
            .Send(Sse.Choice("""{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}"""), "Hello").Send(Sse.Done).End().Completes(),
    ];

    private static IEnumerable<Quirk> Reasons() =>
    [
        Reason("stop").Completes(),
        Reason("eos").Completes(),
        Reason("eos_token").Completes(),
        Reason("stop_sequence").Completes(),
        Reason("end_turn").Completes(),
        Reason("STOP").Completes(),
        Reason("length").IsIncomplete(DoneReasons.Length),
        Reason("max_tokens").IsIncomplete(DoneReasons.Length),
        Reason("model_length").IsIncomplete(DoneReasons.Length),
        Reason("MAX_TOKENS").IsIncomplete(DoneReasons.Length),
        Reason("max_output_tokens").IsIncomplete(DoneReasons.Length),
        Reason("max-tokens").IsIncomplete(DoneReasons.Length),
        Reason("time_limit").IsIncomplete(DoneReasons.Length),
        Reason("ERROR_LIMIT").IsIncomplete(DoneReasons.Length),
        Hello("the reason length before another").Send(Sse.Finish("length") + Sse.Finish() + Sse.Done).End().IsIncomplete(DoneReasons.Length),
        Reason("cancelled").Fails(DoneReasons.ResponderError, isRetryable: true),
        Reason("USER_CANCEL").Fails(DoneReasons.ResponderError, isRetryable: true),
        Quirk.Stream("the reason tool-calls without text").Send(Sse.Finish("tool-calls") + Sse.Done).End().Fails(DoneReasons.ResponderError, isRetryable: false),
        Reason("MALFORMED_FUNCTION_CALL").Completes(),
        Quirk.Stream("the reason MALFORMED_FUNCTION_CALL without text").Send(Sse.Finish("MALFORMED_FUNCTION_CALL") + Sse.Done).End()
            .Fails(DoneReasons.ResponderError, isRetryable: false),
        Refused(Reason("content-filter")),
        Refused(Reason("IMAGE_SAFETY")),
        Refused(Reason("ERROR_TOXIC")),
        Refused(Reason("content_filter")),
        Refused(Reason("safety")),
        Refused(Reason("SAFETY")),
        Refused(Reason("sensitive")),
        Refused(Reason("refusal")),
        Refused(Quirk.Stream("pieces of a refusal").Send(Sse.Delta("""{"refusal":"I can"}""")).Send(Sse.Delta("""{"refusal":"not."}""")).Send(Sse.Finish() + Sse.Done).End()),
    ];

    private static IEnumerable<Quirk> EndsAfterTheReason()
    {
        var usage = Sse.Event("""{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}""");
        return
        [
            // The connection stays open, and nothing more comes.
            Hello("a finish reason, then silence").Send(Sse.Finish()).Completes(),
            Hello("a finish reason and usage, then silence").Send(Sse.Finish() + usage).Completes(),
            Hello("the end, then silence").Send(Sse.Finish() + Sse.Done).Completes(),
            Hello("the end without a finish reason, then silence").Send(Sse.Done).Completes(),
            Hello("a finish reason, then usage, then the end of the body").Send(Sse.Finish() + usage).End().Completes(),
            Hello("a finish reason, then the end of the body").Send(Sse.Finish()).End().Completes(),
            Hello("a finish reason, then a reset").Send(Sse.Finish(), "Hello").Reset().Completes(),
            Hello("a finish reason, then the end of the connection").Send(Sse.Finish(), "Hello").Close().Completes(),
            Hello("the end, then a reset").Send(Sse.Finish() + Sse.Done, "Hello").Reset().Completes(),
            Hello("the end without a finish reason").Send(Sse.Done).End().Completes(),
            Hello("a finish reason, then keep-alives without end").Send(Sse.Finish()).Flood(": keep-alive\n\n").Completes(),
            Hello("a length reason, then a reset").Send(Sse.Finish("length"), "Hello").Reset().IsIncomplete(DoneReasons.Length),
        ];
    }

    private static IEnumerable<Quirk> Cuts() =>
    [
        Cut(Quirk.Stream("the end alone").Send(Sse.Done).End()),
        Cut(Quirk.Stream("an empty stream").End()),
        Cut(Quirk.Stream("comments only").Send(": hi\n\n").End()),
        Cut(Quirk.Json("an empty body").End()),
        Cut(new Quirk("a body of no bytes").Head(200, "application/json", ("Content-Length", "0")).End()),
        Cut(new Quirk("a body of no bytes without a content type").Head(200, null, ("Content-Length", "0")).End()),
        Cut(Quirk.Json("white space only").Send(" \n").End()),
        Cut(Hello("the end of the body after text").End()),
        Cut(Hello("the end of the connection after text").Close()),
        Cut(Hello("a reset after text").Reset()),
        Cut(Hello("the end of the body in the middle of an event").Send(Sse.Text("lost")[..60], "Hello").End()),
        Cut(Hello("the end of the connection in the middle of an event").Send(Sse.Text("lost")[..60], "Hello").Close()),
        Cut(Hello("a reset in the middle of an event").Send(Sse.Text("lost")[..60], "Hello").Reset()),
        Cut(Hello("the end of the body after empty finish reasons").Send(Sse.Finish(""), "Hello").End()),
        Cut(new Quirk("fewer bytes than the length says").Head(200, "text/event-stream", ("Content-Length", "100000")).Send(Sse.Text("Hello"), "Hello").Close()),
        Cut(Quirk.Json("the end of the body in the middle of a JSON body").Send(Completion[..100]).End()),
        Cut(Quirk.Json("the end of the connection in the middle of a JSON body").Send(Completion[..100]).Close()),
        Cut(Quirk.Json("a reset in the middle of a JSON body").Send(Completion[..100]).Reset()),
    ];

    private static Quirk Hello(string name) => Quirk.Stream(name).Send(Sse.Text("Hel"), "Hel").Send(Sse.Text("lo"), "Hello");

    private static Quirk Reason(string reason) => Hello($"the reason {reason}").Send(Sse.Finish(reason) + Sse.Done).End();

    private static Quirk Refused(Quirk quirk) => quirk.Fails(DoneReasons.ResponderRefused, isRetryable: false);

    private static Quirk Cut(Quirk quirk) => quirk.Fails(DoneReasons.ResponderCut, isRetryable: true);

    private static string Usage(int tokens) => Sse.Event($$$"""{"choices":[],"usage":{"completion_tokens":{{{tokens}}}}}""");

    private static string Message(string text) =>
        Sse.Choice($$"""{"index":0,"message":{"role":"assistant","content":"{{text}}"},"finish_reason":null}""");

    private static string Both(string delta, string message) =>
        Sse.Choice($$"""{"index":0,"delta":{"content":"{{delta}}"},"message":{"role":"assistant","content":"{{message}}"},"finish_reason":null}""");
}
