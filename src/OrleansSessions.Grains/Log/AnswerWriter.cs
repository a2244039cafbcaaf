using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Log;

/// <summary>Turns the text of the running question's answer into deltas: whole scalars, of limited length, up to the largest answer.</summary>
internal sealed class AnswerWriter(SessionsOptions options)
{
    /// <summary>A longer piece becomes several deltas. Six bytes of JSON for a byte of text is the worst case, so such a frame stays below 100 KiB.</summary>
    public const int MaxDeltaBytes = 16 * 1024;

    private ScalarGuard _scalars;

    /// <summary>Adds text to an answer.</summary>
    /// <returns>False if the answer is too large and was cut.</returns>
    public bool Write(SessionLog log, Question question, string text, DateTimeOffset now) => Append(log, question, _scalars.Take(text), now);

    /// <summary>Adds what was held back of the last piece, because no more text comes.</summary>
    /// <returns>False if the answer is too large and was cut.</returns>
    public bool Flush(SessionLog log, Question question, DateTimeOffset now) => Append(log, question, _scalars.Flush(), now);

    /// <summary>Drops what is held back. The next text belongs to another answer.</summary>
    public void Reset() => _scalars = default;

    private bool Append(SessionLog log, Question question, string text, DateTimeOffset now)
    {
        if (text.Length == 0)
        {
            return true;
        }

        var bytes = Encoding.UTF8.GetByteCount(text);
        var room = options.MaxAnswerBytes - question.Bytes;
        var fits = bytes <= room;
        if (!fits)
        {
            text = ScalarGuard.CutToBytes(text, room);
            bytes = Encoding.UTF8.GetByteCount(text);
        }

        if (text.Length > 0)
        {
            question.Status = QuestionStatus.Answering;
            question.FirstDeltaAt ??= now;
            question.NoteSign(now);
            AppendDeltas(log, question, text, bytes);
        }

        return fits;
    }

    /// <summary>Common clients refuse a frame above 1 MiB, so a long piece becomes a run of deltas.</summary>
    private static void AppendDeltas(SessionLog log, Question question, ReadOnlySpan<char> text, int bytes)
    {
        while (bytes > MaxDeltaBytes)
        {
            var delta = text[..ScalarGuard.LengthWithin(text, MaxDeltaBytes)];
            var deltaBytes = Encoding.UTF8.GetByteCount(delta);
            question.AppendDelta(delta, deltaBytes);
            log.AppendDelta(question);
            text = text[delta.Length..];
            bytes -= deltaBytes;
        }

        question.AppendDelta(text, bytes);
        log.AppendDelta(question);
    }
}
