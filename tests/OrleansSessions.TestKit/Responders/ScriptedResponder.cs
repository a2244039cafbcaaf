using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using OrleansSessions.Responders;

namespace OrleansSessions.TestKit.Responders;

/// <summary>A responder whose answers a test plays by hand. Each question text has a script of its own, made by whoever comes first.</summary>
public sealed class ScriptedResponder : IResponder
{
    private readonly ConcurrentDictionary<string, AnswerScript> _scripts = new();

    /// <summary>The script for a question, by its exact text.</summary>
    public AnswerScript For(string question) => _scripts.GetOrAdd(question, static text => new AnswerScript(text));

    public IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, CancellationToken cancellationToken) =>
        For(context.Question).PlayAsync(context, cancellationToken);
}

/// <summary>One answer, played by a test: what was asked, what is sent, and what became of it.</summary>
public sealed class AnswerScript(string question)
{
    private readonly Channel<Func<AnswerPiece?>> _steps = Channel.CreateBounded<Func<AnswerPiece?>>(4096);
    private readonly TaskCompletionSource<ResponderContext> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runs;

    public string Question { get; } = question;

    /// <summary>How often the responder was asked this.</summary>
    public int Runs => Volatile.Read(ref _runs);

    /// <summary>True makes the answer ignore its token, as a bad responder would.</summary>
    public bool IgnoresCancellation { get; set; }

    /// <summary>Completes when the responder is first asked.</summary>
    public Task<ResponderContext> Started => _started.Task;

    /// <summary>Completes when the answer's token is cancelled.</summary>
    public Task Cancelled => _cancelled.Task;

    /// <summary>Completes when the answer's enumerator has let go.</summary>
    public Task Stopped => _stopped.Task;

    public AnswerScript Send(string text) => Add(() => AnswerPiece.Of(text));

    public AnswerScript Stop(string reason) => Add(() => AnswerPiece.Stop(reason));

    public AnswerScript Finish() => Add(() => null);

    public AnswerScript Fail(Exception fault) => Add(() => throw fault);

    internal async IAsyncEnumerable<AnswerPiece> PlayAsync(ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _runs);
        await using var registration = cancellationToken.Register(() => _cancelled.TrySetResult());
        _started.TrySetResult(context);
        try
        {
            while (true)
            {
                var step = await _steps.Reader.ReadAsync(IgnoresCancellation ? CancellationToken.None : cancellationToken);
                if (step() is not { } piece)
                {
                    yield break;
                }

                yield return piece;
            }
        }
        finally
        {
            // The reader above can let go first, and disposing of the registration would then take the word back.
            if (cancellationToken.IsCancellationRequested)
            {
                _cancelled.TrySetResult();
            }

            _stopped.TrySetResult();
        }
    }

    private AnswerScript Add(Func<AnswerPiece?> step)
    {
        if (!_steps.Writer.TryWrite(step))
        {
            throw new InvalidOperationException("The script has too many steps that nobody read.");
        }

        return this;
    }
}
