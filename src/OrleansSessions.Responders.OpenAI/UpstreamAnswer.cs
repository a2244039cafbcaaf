using System.Net.ServerSentEvents;
using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.Responders.OpenAI.Bodies;
using OrleansSessions.Responders.OpenAI.Chunks;
using OrleansSessions.Responders.OpenAI.Failures;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>One answer as it comes from an upstream, and how it ended.</summary>
internal sealed class UpstreamAnswer : IDisposable
{
    /// <summary>
    /// How long the usage and the last event are waited for after the model has finished. Some servers send neither, and keep the connection open.
    /// </summary>
    private static readonly TimeSpan FinishTimeout = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The same where a reason came with text, or before any. Some servers write one into each chunk, also while the model thinks, so more text may follow.
    /// </summary>
    private static readonly TimeSpan EarlyReasonTimeout = TimeSpan.FromSeconds(3);

    private readonly BodyReader _body;
    private readonly ChunkReader _chunks;
    private readonly UpstreamFailures _failures;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _cancelled;
    private string? _finishReason;
    private bool _isLast;
    private bool _isWhole;
    private bool _isRefused;
    private bool _hasChunks;
    private bool _hasText;
    private bool _endsWithUsage;

    /// <param name="body">The body of a successful response.</param>
    /// <param name="cancelled">Cancelled if no one wants the answer any more.</param>
    public UpstreamAnswer(Stream body, string model, UpstreamFailures failures, TimeProvider time, CancellationToken cancelled)
    {
        _body = new BodyReader(body);
        _chunks = new ChunkReader(model);
        _failures = failures;
        _cancelled = cancelled;
        _timeout = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancelled, _timeout.Token);
    }

    /// <summary>True once the answer is complete, whatever the connection does.</summary>
    private bool IsOver => _finishReason is not null || _isLast;

    /// <summary>True if the answer is complete where the body ends, although no finish reason has come.</summary>
    private bool IsWholeAtEnd => IsOver || _isWhole || _endsWithUsage;

    /// <summary>The pieces of the answer. Every event and every byte is at least a sign of life.</summary>
    /// <exception cref="ResponderException">The upstream failed.</exception>
    public async IAsyncEnumerable<AnswerPiece> ReadAsync()
    {
        await using var events = _body.ReadAsync(_stop.Token).GetAsyncEnumerator(_stop.Token);
        while (!_isLast && await MoveNextAsync(events))
        {
            var data = events.Current.Data;
            if (data.IsEmpty)
            {
                yield return AnswerPiece.Alive;
            }

            var type = events.Current.EventType;
            while (TryRead(ref data, type, out var chunk))
            {
                Take(chunk, isErrorEvent: type == "error");
                if (chunk.Usage is { } usage)
                {
                    yield return AnswerPiece.Used(usage);
                }

                yield return chunk.Text.Length > 0 ? AnswerPiece.Of(chunk.Text) : AnswerPiece.Alive;
            }
        }

        if (_chunks.End() is { Length: > 0 } rest)
        {
            yield return AnswerPiece.Of(rest);
        }
    }

    /// <summary>How the answer ended: null if it is whole, or the reason why it is not.</summary>
    /// <exception cref="ResponderException">It ended in a failure.</exception>
    public string? FindEnd()
    {
        var kind = _finishReason is null ? FinishKind.Complete : FinishReasons.KindOf(_finishReason);
        return kind switch
        {
            _ when _isRefused => throw _failures.Refused(),
            FinishKind.Refused => throw _failures.Refused(),
            FinishKind.Faulted => throw _failures.Faulted(),
            FinishKind.ToolCall when !_hasText => throw _failures.CalledATool(),
            FinishKind.Length => DoneReasons.Length,
            _ when IsWholeAtEnd && _hasChunks => null,
            _ when _body.HasContent && !_hasChunks && !IsOver => throw _failures.NotAnAnswer("something that is not a chat completion"),
            _ => throw _failures.Cut(),
        };
    }

    public void Dispose()
    {
        _stop.Dispose();
        _timeout.Dispose();
    }

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<SseItem<ReadOnlyMemory<byte>>> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception fault) when (_cancelled.IsCancellationRequested)
        {
            // A connection that is closed by a cancel can fail in many ways. All of them mean that the answer was cancelled.
            throw new OperationCanceledException("The answer was cancelled.", fault, _cancelled);
        }
        catch (Exception) when (IsWholeAtEnd)
        {
            // The answer is whole. That the connection broke, or that nothing more came, changes nothing.
            return false;
        }
        catch (BodyFormatException fault)
        {
            throw _failures.NotAnAnswer(fault.Message);
        }
        catch (Exception fault)
        {
            throw _failures.Cut(fault);
        }
    }

    private bool TryRead(ref ReadOnlyMemory<byte> data, string type, out Chunk chunk)
    {
        try
        {
            return _chunks.TryRead(ref data, out chunk);
        }
        catch (JsonException) when (IsOver || IsNotice(type, data.Span))
        {
            // A sign of life.
            chunk = new Chunk();
            data = default;
            return true;
        }
        catch (JsonException fault)
        {
            // The last event of a body that ended inside it is no JSON either.
            throw _body.HasEnded ? _failures.Cut(fault) : _failures.NotAnAnswer("something that is not JSON", fault);
        }
    }

    private void Take(in Chunk chunk, bool isErrorEvent)
    {
        var wasOver = IsOver;
        if (!wasOver && chunk.Error is { } error)
        {
            throw _failures.Reported(error, _hasChunks);
        }

        if (!wasOver && isErrorEvent && !chunk.IsOfCompletion)
        {
            throw _failures.NotAnAnswer("an error event");
        }

        _hasChunks |= chunk.IsOfCompletion;
        _hasText |= chunk.Text.Length > 0;
        _isRefused |= chunk.IsRefusal;
        _isWhole |= chunk.IsWhole;
        _endsWithUsage = chunk.IsUsageAlone || (_endsWithUsage && chunk.Text.Length == 0);
        _isLast |= chunk.IsLast || (chunk.IsUsageAlone && _finishReason is not null);

        // Some servers add a reason of their own to the one of the model.
        if (chunk.FinishReason is { } reason && (_finishReason is null || FinishReasons.KindOf(reason) != FinishKind.Complete))
        {
            _finishReason = reason;
        }

        SetTimeout(chunk, wasOver);
    }

    /// <summary>A server can go on with text after a finish reason, and with nothing but signs of life for ever.</summary>
    private void SetTimeout(in Chunk chunk, bool wasOver)
    {
        var hasEarlyReason = !chunk.IsWhole && (chunk.Text.Length > 0 || (chunk.FinishReason is not null && !_hasText));
        if (IsOver && (!wasOver || hasEarlyReason))
        {
            _timeout.CancelAfter(hasEarlyReason ? EarlyReasonTimeout : FinishTimeout);
        }
    }

    /// <summary>True for an event with a name of its own and a word as its data, such as <c>ping</c>. Nothing of an answer is lost with it.</summary>
    private static bool IsNotice(string type, ReadOnlySpan<byte> data) =>
        type is not ("message" or "error" or "") && !data.IsEmpty && data[0] is not ((byte)'{' or (byte)'[');
}
