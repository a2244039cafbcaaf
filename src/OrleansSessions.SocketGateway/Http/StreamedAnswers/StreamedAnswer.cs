using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Http.StreamedAnswers;

/// <summary>
/// A request whose body is an answer, one piece a line. Each piece is in the session before the next line is read, so the connection itself slows down
/// a client that is faster than the session. Read <see cref="RunAsync"/> first: it is the whole life, in order.
/// </summary>
internal sealed class StreamedAnswer
{
    private readonly HttpContext _context;
    private readonly SessionHttp _http;
    private readonly ISessionGrain _session;
    private readonly string _sessionId;
    private readonly string _questionId;
    private readonly BodyLines _lines;

    // What the next line may leave out.
    private int? _attempt;
    private long _next;

    // Bytes of answer in the session, as it last reported them.
    private long _offset;

    public StreamedAnswer(HttpContext context, SessionHttp http, ISessionGrain session, string sessionId, string questionId)
    {
        (_context, _http, _session, _sessionId, _questionId) = (context, http, session, sessionId, questionId);
        _lines = new(context.Request.BodyReader, http.Limits.Gateway.MaxAnswerBodyBytes);
    }

    public async Task<IResult> RunAsync()
    {
        // 1. A question that has ended takes no stream, not even one that repeats its answer: otherwise step 3 would race with step 4.
        if (_http.Stopping.IsCancellationRequested)
        {
            return RefuseAt(Refusals.GoingDown(_http.Limits.RetryAfterMs), null);
        }

        var question = await _session.GetQuestionAsync(new() { QuestionId = _questionId });
        if (question is null or { End: not null })
        {
            return question is null ? _http.Refuse(Refusals.QuestionNotFound(_questionId)) : RefuseAsDone(question.Status);
        }

        // 2. The web server's limits are meant for bodies that are ready to be sent. This one lasts as long as its answer.
        _offset = question.Bytes;
        LiftLimits();

        // 3. Watch for the question's end meanwhile, so that a cancel reaches a client that is silent, and a silent client does not stay for ever.
        await using var watch = new QuestionWatch(_context, _http, _session, _sessionId, _questionId);
        try
        {
            // 4. Append line by line. Whatever ends this is answered at once; what the client still sends is not looked at.
            return await AppendAsync(watch.Reading);
        }
        catch (OperationCanceledException) when (watch.Finding is not null && !_context.RequestAborted.IsCancellationRequested)
        {
            return RefuseAs(watch.Finding);
        }
        finally
        {
            _lines.Release();
        }
    }

    private async Task<IResult> AppendAsync(CancellationToken reading)
    {
        while (true)
        {
            switch (await RequestBody.GuardAsync(_context, _lines.ReadAsync(reading)))
            {
                case LineOutcome.End:
                    return SessionHttp.Json(new OffsetBody(_offset));
                case LineOutcome.TooLong:
                    return RefuseAt(AtLine(Refusals.MessageTooLarge("line", _http.Limits.Gateway.MaxAnswerBodyBytes)), _offset);
                case LineOutcome.Line when await AppendLineAsync() is { } reply:
                    return reply;
            }
        }
    }

    /// <returns>The reply, or null to read on.</returns>
    private async Task<IResult?> AppendLineAsync()
    {
        var (piece, refusal) = Parse(_lines.Line, _attempt, _next);
        if (piece is null)
        {
            return RefuseAt(AtLine(refusal!), _offset);
        }

        var reply = await _session.AnswerAsync(piece.ToRequest(_questionId));
        if (reply.Outcome != AnswerOutcome.Taken)
        {
            return _http.Refuse(reply, _questionId);
        }

        // A client may repeat its stream from an earlier offset, so the next line is where this one ends, not where the answer does.
        (_attempt, _next, _offset) = (piece.Attempt, piece.Offset + Encoding.UTF8.GetByteCount(piece.Text), reply.Offset);
        return piece.IsFinal || piece.ErrorCode is not null ? SessionHttp.Json(new OffsetBody(reply.Offset)) : null;
    }

    private static (AnswerPieceMessage? Piece, ErrorMessage? Refusal) Parse(ReadOnlySequence<byte> line, int? attempt, long next)
    {
        var utf8 = line.IsSingleSegment ? line.FirstSpan : line.ToArray();
        return Utf8.IsValid(utf8) ? ExternalAnswerParser.ParseLine(utf8, attempt, next) : (null, new(WireErrors.BadRequest, "The line is not valid UTF-8."));
    }

    private void LiftLimits()
    {
        if (_context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (_context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private ErrorMessage AtLine(ErrorMessage refusal) => refusal with { Message = $"Line {_lines.Number}: {refusal.Message}" };

    private IResult RefuseAs(WatchFinding finding) => finding switch
    {
        { Error: { } error } => RefuseAt(error, error.Error == WireErrors.Draining ? _offset : null),
        { Ended: { } ended } => RefuseAsDone(ended),
        _ => _http.Refuse(Refusals.QuestionNotFound(_questionId)),
    };

    private IResult RefuseAsDone(QuestionStatus status) => _http.Refuse(Refusals.AlreadyDone(_questionId), ended: status);

    private IResult RefuseAt(ErrorMessage refusal, long? offset) => _http.Refuse(refusal with { QuestionId = _questionId }, expectedOffset: offset);
}
