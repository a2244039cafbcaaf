using System.Text;
using System.Text.Json;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Servers;

/// <summary>
/// Makes answers begin, grow and end. With the responder <c>external</c> they are sent over HTTP, piece by piece; any other responder answers a question
/// that is long enough by itself, and is cancelled.
/// </summary>
internal sealed class ScriptedAnswers(ServerScene scene)
{
    private readonly Dictionary<string, int> _offsets = [];

    /// <summary>A question whose answer is not over before it is ended.</summary>
    public string LongQuestion => scene.Target.IsExternal ? "What is a silo?" : scene.Target.Options.Question;

    /// <summary>A question whose answer is soon over.</summary>
    public static string ShortQuestion => "one two three";

    /// <summary>What <see cref="FinishAsync"/> leads to for a long question.</summary>
    public string EndStatus => scene.Target.IsExternal ? "completed" : "cancelled";

    /// <summary>Asks a long question over HTTP.</summary>
    public async Task AskLongAsync(string id) => (await scene.AskOverHttpAsync(id, LongQuestion)).Expect(202);

    /// <summary>Asks a long question on this socket, and waits until it has so many deltas of the answer.</summary>
    public async Task BeginAsync(WireSocket socket, string id, int deltas = 1)
    {
        await socket.AskAsync(id, LongQuestion);
        await socket.ExpectAsync("accepted", id);
        await GrowAsync(socket, id, deltas);
    }

    /// <summary>Waits until this socket has at least so many more deltas of the running question.</summary>
    public async Task GrowAsync(WireSocket socket, string id, int deltas = 1)
    {
        for (var i = 0; i < deltas; i++)
        {
            if (scene.Target.IsExternal)
            {
                await SendAsync(id, $"piece{_offsets.GetValueOrDefault(id)}\u00E9 ", isFinal: false);
            }

            await socket.UntilAsync("delta", id);
        }
    }

    /// <summary>Lets the short answer begin and end, once the question is accepted. Does nothing where the responder does so by itself.</summary>
    public async Task AnswerShortAsync(string id)
    {
        if (scene.Target.IsExternal)
        {
            await scene.UntilAcceptedAsync(id);
            foreach (var word in new[] { "one", " two", " three" })
            {
                await SendAsync(id, word, isFinal: word == " three");
            }
        }
    }

    /// <summary>Ends the running question: completes it, or cancels it where the responder does not leave that to us.</summary>
    public async Task FinishAsync(string id)
    {
        if (scene.Target.IsExternal)
        {
            await SendAsync(id, "end.", isFinal: true);
        }
        else
        {
            var reply = await scene.CallAsync(HttpMethod.Post, $"/questions/{id}/cancel");
            Check.That(reply.Status is 200 or 202, "200 or 202 for a cancel", reply);
        }
    }

    private async Task SendAsync(string id, string text, bool isFinal)
    {
        var offset = _offsets.GetValueOrDefault(id);
        var body = JsonSerializer.Serialize(new { attempt = 1, offset, text, final = isFinal });
        var reply = await scene.CallAsync(HttpMethod.Post, $"/questions/{id}/answer", body);
        if (reply.Body?.Text("code") == WireErrors.PermissionDenied.Code)
        {
            throw new CaseSkippedException("The responder is 'external', and this caller may not answer. Use a token with sessions:answer.");
        }

        _offsets[id] = (int)(reply.Expect(200).Number("offset") ?? 0);
        Check.Equal(offset + Encoding.UTF8.GetByteCount(text), _offsets[id], "the offset of the next piece");
    }
}
