using System.Text;
using OrleansSessions.Responders;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>
/// Reads one answer, piece by piece, and remembers what has come so far and how it ended. One read is always under way, as in a session. Every wait has
/// a deadline, and its error says what has come instead.
/// </summary>
internal sealed class AnswerReading : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    private readonly CancellationTokenSource _cancel = new();
    private readonly IAsyncEnumerator<AnswerPiece> _pieces;
    private readonly StringBuilder _text = new();
    private Task<bool> _next;

    public AnswerReading(IResponder responder, ResponderContext? context = null)
    {
        _pieces = responder.AnswerAsync(context ?? UpstreamResponder.Ask(), _cancel.Token).GetAsyncEnumerator(_cancel.Token);
        _next = _pieces.MoveNextAsync().AsTask();
    }

    public string Text => _text.ToString();

    /// <summary>The number of pieces without text.</summary>
    public int SignsOfLife { get; private set; }

    public string? IncompleteReason { get; private set; }

    /// <summary>The exception that ended the answer, or null.</summary>
    public Exception? Failure { get; private set; }

    public bool HasEnded { get; private set; }

    /// <summary>Completes when there is something to read. It may be the end.</summary>
    public Task Next => _next;

    /// <summary>What has come so far, for messages.</summary>
    public string Description => $"'{Text}' and {SignsOfLife} signs of life, " + (HasEnded ? $"ended: {Ending}" : "not ended");

    private string Ending => Failure switch
    {
        ResponderException failure => $"failed, {failure.Reason}, {(failure.IsRetryable ? "retryable" : "not retryable")}: {failure.Message}",
        { } failure => $"threw {failure}",
        null => IncompleteReason is null ? "completed" : $"incomplete, {IncompleteReason}",
    };

    /// <summary>Reads until the condition is true. It must become true before the answer ends.</summary>
    public async Task UntilAsync(Func<bool> condition, string expectation)
    {
        while (!condition())
        {
            if (HasEnded)
            {
                throw new InvalidOperationException($"The answer ended before {expectation}. So far: {Description}.");
            }

            await ReadAsync(expectation);
        }
    }

    public Task UntilTextAsync(string text) => UntilAsync(
        () => text.StartsWith(Text, StringComparison.Ordinal)
            ? Text.Length == text.Length
            : throw new InvalidOperationException($"'{Text}' is not the start of '{text}'. So far: {Description}."),
        $"the text was '{text}'");

    public async Task UntilEndAsync()
    {
        while (!HasEnded)
        {
            await ReadAsync("the end");
        }
    }

    public Task CancelAsync() => _cancel.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await _cancel.CancelAsync();
        await ((Task)_next).WaitAsync(Patience, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_next.IsCompleted)
        {
            await _pieces.DisposeAsync();
        }
    }

    private async Task ReadAsync(string expectation)
    {
        // 1. Wait for the read under way. Its own exceptions are the answer's failure.
        await ((Task)_next).WaitAsync(Patience, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_next.IsCompleted)
        {
            throw new TimeoutException($"Not within {Patience.TotalSeconds:N0} s: {expectation}. So far: {Description}.");
        }

        try
        {
            HasEnded = !await _next;
        }
        catch (Exception failure)
        {
            (HasEnded, Failure) = (true, failure);
        }

        // 2. Keep the piece, and read on. A session does not read after a stop.
        if (HasEnded)
        {
            return;
        }

        var piece = _pieces.Current;
        _text.Append(piece.Text);
        SignsOfLife += piece.Text.Length == 0 && piece.IncompleteReason is null ? 1 : 0;
        if (piece.IncompleteReason is { } reason)
        {
            (IncompleteReason, HasEnded) = (reason, true);
            return;
        }

        _next = _pieces.MoveNextAsync().AsTask();
    }
}
