using OrleansSessions.Responders;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>The responder of one process. It says what the test tells it to, and stops when it is told to, not when its token is cancelled.</summary>
internal sealed class ModelResponder(RecoveryMode recovery) : IResponder
{
    /// <summary>The answers that have not stopped, oldest first.</summary>
    public List<ModelAnswer> Running { get; } = [];

    public RecoveryMode Recovery { get; } = recovery;

    /// <summary>Called when it is asked.</summary>
    public Action<ModelAnswer> OnAsked { get; set; } = _ => { };

    public IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, CancellationToken cancellationToken)
    {
        var answer = new ModelAnswer(context, cancellationToken);
        Running.Add(answer);
        OnAsked(answer);
        return answer;
    }

    /// <summary>Those that were told to stop do.</summary>
    public void StopCancelled()
    {
        foreach (var answer in Running.FindAll(answer => answer.IsCancelled))
        {
            answer.End();
        }

        Running.RemoveAll(answer => answer.HasEnded);
    }
}

/// <summary>One attempt of the responder at one question.</summary>
internal sealed class ModelAnswer(ResponderContext context, CancellationToken cancellationToken) : IAsyncEnumerable<AnswerPiece>, IAsyncEnumerator<AnswerPiece>
{
    private readonly Queue<AnswerPiece> _pieces = new();
    private TaskCompletionSource<bool>? _waiting;
    private Exception? _fault;

    public ResponderContext Context { get; } = context;

    /// <summary>What the answer is, if nothing of it gets lost: the text that it continues, and then all that it said.</summary>
    public string Said { get; private set; } = context.AnswerSoFar;

    /// <summary>How much of that is known to be stored.</summary>
    public int Saved { get; set; }

    public bool IsCancelled => cancellationToken.IsCancellationRequested;

    public bool HasEnded { get; private set; }

    public AnswerPiece Current { get; private set; }

    public void Say(string text)
    {
        Said += text;
        Add(AnswerPiece.Of(text));
    }

    /// <summary>It cannot go on.</summary>
    public void Stop() => Add(AnswerPiece.Stop("length"));

    public void Throw()
    {
        _fault = new ResponderException("responder_refused", "No.", isRetryable: false);
        End();
    }

    public void End()
    {
        HasEnded = true;
        Continue();
    }

    public IAsyncEnumerator<AnswerPiece> GetAsyncEnumerator(CancellationToken cancellationToken = default) => this;

    public async ValueTask<bool> MoveNextAsync()
    {
        if (_pieces.Count == 0 && !HasEnded)
        {
            _waiting = new();
            await _waiting.Task;
        }

        if (_pieces.TryDequeue(out var piece))
        {
            Current = piece;
            return true;
        }

        return _fault is null ? false : throw _fault;
    }

    public ValueTask DisposeAsync() => default;

    private void Add(AnswerPiece piece)
    {
        _pieces.Enqueue(piece);
        Continue();
    }

    private void Continue()
    {
        var waiting = _waiting;
        _waiting = null;
        waiting?.TrySetResult(true);
    }
}
