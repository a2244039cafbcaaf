namespace OrleansSessions.Chaos.Clients;

/// <summary>How a question ended for the client that asked it.</summary>
/// <param name="Status">The status of its <c>done</c>, or one of the constants.</param>
/// <param name="Reason">The reason of its end, or the code of the refusal.</param>
internal sealed record QuestionEnd(string Status, string? Reason)
{
    /// <summary>An error refused it.</summary>
    public const string Refused = "refused";

    /// <summary>It has no id, and the connection that would have brought its answer is gone.</summary>
    public const string Unknown = "unknown";
}

/// <summary>A question that a client asks, with what the client knows about it.</summary>
/// <param name="ifBusy">The value of <c>if_busy</c>, or null for none.</param>
/// <param name="givesUpIfBusy">True if a refusal as busy is an end and no reason to ask again.</param>
internal sealed class OwnQuestion(string id, string text, string? ifBusy = null, bool givesUpIfBusy = false)
{
    private readonly TaskCompletionSource<QuestionEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id { get; } = id;

    public string Text { get; } = text;

    public string? IfBusy { get; } = ifBusy;

    public bool GivesUpIfBusy { get; } = givesUpIfBusy;

    public bool IsAccepted { get; set; }

    public Task<QuestionEnd> Ended => _ended.Task;

    public void End(string status, string? reason) => _ended.TrySetResult(new(status, reason));
}
