using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>What an upstream sends while its model is still thinking. Each of them is delivered as a piece without text, which restarts the silence timer.</summary>
public sealed class SignOfLifeQuirks
{
    private static readonly QuirkTable Table = new(
    [
        Stream("reasoning_content", Sse.Delta("""{"content":null,"reasoning_content":"Hmm"}""")),
        Stream("reasoning", Sse.Delta("""{"content":"","reasoning":"Hmm"}""")),
        Stream("reasoning alone", Sse.Delta("""{"reasoning":"Hmm"}""")),
        Stream("reasoning details", Sse.Delta("""{"reasoning_details":[{"type":"reasoning.text","text":"Hmm"}]}""")),
        Stream("thinking parts", Sse.Delta("""{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hmm"}]}]}""")),
        Stream("empty content", Sse.Delta("""{"content":""}""")),
        Stream("a role alone", Sse.Delta("""{"role":"assistant"}""")),
        Stream("null choices", Sse.Event("""{"choices":null}""")),
        Stream("empty choices", Sse.Event("""{"choices":[]}""")),
        Stream("a comment", ": keep-alive\n\n"),
        Stream("a comment of a router", ": OPENROUTER PROCESSING\n\n"),
        Stream("a comment that is not followed by an empty line", ": keep-alive\n"),
        Stream("an empty data line", "data:\n\n"),
        Stream("a ping", "event: ping\ndata: {\"type\":\"ping\"}\n\n"),
        Quirk.Json("white space before a JSON body").SendAlive(" ").SendAlive("\n").SendAlive("\r\n")
            .Send("""{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}""")
            .End().Completes("Hello"),
    ]);

    public static TheoryData<string> Names => Table.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Piece_WithoutText_IsDeliveredAtOnce(string quirk) => Table.RunAsync(quirk);

    /// <summary>Twice before the text, because the head of the response may already be one sign, and once in it.</summary>
    private static Quirk Stream(string name, string events) => Quirk.Stream(name)
        .SendAlive(events).SendAlive(events).Send(Sse.Text("Hel"), "Hel").SendAlive(events).Send(Sse.Text("lo"), "Hello")
        .Send(Sse.Finish() + Sse.Done).End().Completes();
}
