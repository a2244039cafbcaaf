using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using OrleansSessions.Responders;

namespace OrleansSessions.TestKit.Responders;

/// <summary>A responder whose answers a test controls. Each question text has its own script, which the first caller creates.</summary>
public sealed class ScriptedResponder : IResponder
{
    private readonly ConcurrentDictionary<string, AnswerScript> _scripts = new();

    /// <summary>What it declares to the sessions that become active from now on. Default <see cref="RecoveryMode.Fail"/>.</summary>
    public RecoveryMode Recovery { get; set; }

    /// <summary>Returns the script for a question by its exact text.</summary>
    public AnswerScript For(string question) => _scripts.GetOrAdd(question, static text => new AnswerScript(text));

    public IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, CancellationToken cancellationToken) =>
        For(context.Question).PlayAsync(context, cancellationToken);

    /// <summary>Takes <c>model</c> if it is a string. At <c>broken</c> it throws, with the value in the message. It refuses everything else.</summary>
    public OptionFault? CheckOptions(JsonElement options)
    {
        foreach (var option in options.EnumerateObject())
        {
            if (option.NameEquals("broken"))
            {
                throw new FormatException($"Broken by {option.Value}");
            }

            if (!option.NameEquals("model") || option.Value.ValueKind != JsonValueKind.String)
            {
                return new(option.Name, $"'{option.Name}' cannot be {option.Value}.");
            }
        }

        return null;
    }
}

/// <summary>One answer that a test controls: what was asked, what is sent, and how it ended.</summary>
public sealed class AnswerScript(string question)
{
    private readonly Channel<Func<AnswerPiece?>> _steps = Channel.CreateBounded<Func<AnswerPiece?>>(4096);
    private readonly TaskCompletionSource<ResponderContext> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runs;
    private int _taken;

    public string Question { get; } = question;

    /// <summary>The number of times that the responder was asked this question.</summary>
    public int Runs => Volatile.Read(ref _runs);

    /// <summary>The number of pieces that were taken, so that all that follows from them outside the grain has happened.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>If true, the answer ignores its token, like a faulty responder.</summary>
    public bool IgnoresCancellation { get; set; }

    /// <summary>What the responder was asked last, or null.</summary>
    public ResponderContext? Latest { get; private set; }

    /// <summary>Completes when the responder is first asked.</summary>
    public Task<ResponderContext> Started => _started.Task;

    /// <summary>Completes when the answer's token is cancelled.</summary>
    public Task Cancelled => _cancelled.Task;

    /// <summary>Completes when the answer's enumerator has ended.</summary>
    public Task Stopped => _stopped.Task;

    public AnswerScript Send(string text) => Add(() => AnswerPiece.Of(text));

    /// <summary>Sends a sign of life without text.</summary>
    public AnswerScript Think() => Add(() => AnswerPiece.Alive);

    public AnswerScript Use(AnswerUsage usage) => Add(() => AnswerPiece.Used(usage));

    public AnswerScript Stop(string reason) => Add(() => AnswerPiece.Stop(reason));

    public AnswerScript Finish() => Add(() => null);

    public AnswerScript Fail(Exception fault) => Add(() => throw fault);

    internal async IAsyncEnumerable<AnswerPiece> PlayAsync(ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Latest = context;
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
                Interlocked.Increment(ref _taken);
            }
        }
        finally
        {
            // The reader above can end first. Disposing the registration would then suppress the signal.
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
            throw new InvalidOperationException("The script has too many unread steps.");
        }

        return this;
    }
}
