using System.Text;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Faults;

/// <summary>An event stream that checks what it gets: numbers without gaps or repeats, and one end for each question.</summary>
internal sealed class FollowedStream : IAsyncDisposable
{
    private readonly EventStreamClient _stream;
    private readonly Dictionary<string, StringBuilder> _answers = [];
    private readonly HashSet<string> _ended = [];

    private FollowedStream(EventStreamClient stream, long last) => (_stream, Last) = (stream, last);

    public long Last { get; private set; }

    public static async Task<FollowedStream> OpenAsync(SocketHost host, string session)
    {
        var stream = await EventStreamClient.OpenAsync(host.Http, $"/v1/sessions/{session}/events");
        return new(stream, (await stream.NextAsync("hello")).Frame.Number("seq")!.Value);
    }

    public string Answer(string questionId) => _answers[questionId].ToString();

    public async Task UntilDoneAsync(string questionId)
    {
        while (!_ended.Contains(questionId))
        {
            Take(await _stream.NextAsync() ?? throw new InvalidOperationException("The event stream ended."));
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private void Take(StreamedFrame next)
    {
        if (next.Type is not ("accepted" or "delta" or "done"))
        {
            Assert.Equal("ping", next.Type);
            return;
        }

        var seq = next.Frame.Number("seq")!.Value;
        Assert.Equal(Last + 1, next.Frame.Number("from_seq") ?? seq);
        Last = seq;
        var id = next.Frame.Text("question_id")!;
        switch (next.Type)
        {
            case "accepted":
                _answers.Add(id, new());
                break;
            case "delta":
                _answers[id].Append(next.Frame.Text("text"));
                break;
            default:
                Assert.True(_ended.Add(id), $"{id} ended twice.");
                break;
        }
    }
}
