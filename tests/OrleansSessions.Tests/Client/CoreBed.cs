using System.Text;
using System.Text.Json;
using OrleansSessions.Client;
using OrleansSessions.Client.Frames;
using OrleansSessions.Client.Questions;
using OrleansSessions.Client.Sessions;
using OrleansSessions.Client.Updates;
using OrleansSessions.Protocol;

namespace OrleansSessions.Tests.Client;

/// <summary>The core of a client, given frames by a test, and a record of what it wants done.</summary>
internal sealed class CoreBed : ISessionEffects
{
    public const string Id = "q-1";
    private readonly Lock _gate = new();

    public CoreBed() => Core = new("s", this);

    public SessionCore Core { get; }

    public List<string> Sent { get; } = [];

    public List<Question> Reads { get; } = [];

    public int Leaves { get; private set; }

    public static StoredQuestion Stored(string text, string epoch, int deltas, bool hasEnded) => new()
    {
        Id = Id,
        Question = "What?",
        Status = hasEnded ? QuestionStatus.Completed : QuestionStatus.Answering,
        Text = text,
        End = hasEnded ? new() { QuestionId = Id, Status = QuestionStatus.Completed, Text = text } : null,
        Position = new() { Session = "s", QuestionId = Id, Epoch = epoch, Deltas = deltas, Bytes = Encoding.UTF8.GetByteCount(text) },
    };

    public CoreBed Receive(params string[] frames)
    {
        foreach (var frame in frames)
        {
            Core.On(ServerFrameReader.Read(Encoding.UTF8.GetBytes(frame)));
        }

        return this;
    }

    public CoreBed Hello(string epoch = "e1", long seq = 0, int messageBytes = 65_536, params string[] open) => Receive(
        $$"""{"type":"hello","epoch":"{{epoch}}","seq":{{seq}},"limits":{"message_bytes":{{messageBytes}}},"open":{{Open(open)}}}""");

    public CoreBed Accepted(long seq, string id = Id) =>
        Receive($$"""{"type":"accepted","seq":{{seq}},"question_id":"{{id}}","duplicate":false,"position":0}""");

    public CoreBed Delta(long seq, int index, string text, string id = Id) =>
        Receive($$"""{"type":"delta","seq":{{seq}},"question_id":"{{id}}","index":{{index}},"text":{{JsonSerializer.Serialize(text)}}}""");

    public CoreBed Done(long seq, int deltas, string whole, string id = Id) => Receive(
        $$"""{"type":"done","seq":{{seq}},"question_id":"{{id}}","status":"completed","deltas":{{deltas}},"bytes":{{Encoding.UTF8.GetByteCount(whole)}}}""");

    /// <summary>The session goes on in another epoch, with this text.</summary>
    public CoreBed NewEpoch(string epoch, string text, int deltas) => Receive(
        $$"""{"type":"resumed","recovered":false,"reason":"epoch_changed","epoch":"{{epoch}}","to_seq":1,"open":{{Open(Id)}}}""",
        $$"""{"type":"snapshot","epoch":"{{epoch}}","question_id":"{{Id}}","text":"{{text}}","deltas":{{deltas}},"status":"recovering"}""");

    public Answer Ask(string text = "What?", string id = Id) =>
        new(Core.Ask(id, text, ClientFrames.Question(id, text, IfBusy.Reject, null, null)), null, _gate, CancellationToken.None);

    public Answer Resume(AnswerPosition from) => new(Core.Follow(from.QuestionId), from, _gate, CancellationToken.None);

    public IAsyncEnumerator<AnswerUpdate> FollowAll() => new SessionUpdates(Core.Questions, _gate).GetAsyncEnumerator();

    void ISessionEffects.Send(byte[] frame) => Sent.Add(Encoding.UTF8.GetString(frame));

    void ISessionEffects.Read(Question question) => Reads.Add(question);

    void ISessionEffects.Live()
    {
    }

    void ISessionEffects.Leave() => Leaves++;

    void ISessionEffects.Move(TimeSpan delay)
    {
    }

    void ISessionEffects.RenewToken(SessionRefusedException? refusal)
    {
    }

    private static string Open(params string[] ids) =>
        "[" + string.Join(',', ids.Select(id => $$"""{"question_id":"{{id}}","state":"answering","age_ms":5}""")) + "]";
}

/// <summary>Reads updates that are there already, one word each.</summary>
internal sealed class UpdateWords(IAsyncEnumerator<AnswerUpdate> reader)
{
    public UpdateWords(Answer answer) : this(answer.GetAsyncEnumerator())
    {
    }

    public string Read()
    {
        var read = new List<string>();
        while (((UpdateReader)reader).TryTake(out var update))
        {
            read.Add(update switch
            {
                AnswerAccepted => "accepted",
                AnswerText text => $"'{text.Text}'",
                AnswerRestarted => "restarted",
                AnswerEnded => "ended",
                AnswerFailed failed => failed.Error.Code,
                _ => update.ToString(),
            });
        }

        return string.Join(' ', read);
    }
}
