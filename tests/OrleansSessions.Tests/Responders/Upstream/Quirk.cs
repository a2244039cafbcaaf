using System.Collections.Immutable;
using System.Text;
using OrleansSessions.TestKit.Upstream;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>
/// One thing that real upstreams send and that the documentation of OpenAI's protocol does not say: what is sent, step by step, what must have been
/// delivered after each step, and how the answer must end.
/// </summary>
internal sealed record Quirk(string Name)
{
    public ImmutableArray<QuirkStep> Steps { get; init; } = [];

    public QuirkOutcome Outcome { get; init; } = new();

    /// <summary>True if characters that the upstream has broken may be missing, replaced or left as they are.</summary>
    public bool HasBrokenCharacters { get; init; }

    /// <summary>An answer with status 200 and the content type of an event stream.</summary>
    public static Quirk Stream(string name) => new Quirk(name).Head(200, "text/event-stream");

    /// <summary>An answer with the content type of JSON.</summary>
    public static Quirk Json(string name, int status = 200) => new Quirk(name).Head(status, "application/json");

    /// <summary>Sends the status and these headers. The body is chunked unless a header says where it ends.</summary>
    public Quirk Head(int status, string? contentType, params (string Name, string Value)[] headers) => Then(new QuirkStep.Head(
        status,
        [
            .. contentType is null ? Array.Empty<(string, string)>() : [("Content-Type", contentType)],
            .. headers.Any(header => header.Name is "Content-Length" or "Connection") ? Array.Empty<(string, string)>() : [RawFraming.Chunked],
            .. headers,
        ]));

    /// <param name="text">The whole text that must have been delivered after it, or null if that cannot be said yet.</param>
    public Quirk Send(string body, string? text = null) => Send(Encoding.UTF8.GetBytes(body), text);

    /// <inheritdoc cref="Send(string, string?)"/>
    public Quirk Send(byte[] body, string? text = null) => Then(new QuirkStep.Body(body, text));

    /// <summary>Sends each byte by itself.</summary>
    public Quirk SendBytewise(string body, string text) => Then(new QuirkStep.Body(Encoding.UTF8.GetBytes(body), text, IsBytewise: true));

    /// <summary>Sends something without text that must be delivered as a sign of life.</summary>
    public Quirk SendAlive(string body) => Then(new QuirkStep.Body(Encoding.UTF8.GetBytes(body), null, IsSignOfLife: true));

    public Quirk Flood(string body) => Then(new QuirkStep.Flood(Encoding.UTF8.GetBytes(body)));

    public Quirk End() => Then(new QuirkStep.End());

    public Quirk Pause(double seconds) => Then(new QuirkStep.Pause(TimeSpan.FromSeconds(seconds)));

    public Quirk Close() => Then(new QuirkStep.Close());

    public Quirk Reset() => Then(new QuirkStep.Reset());

    /// <param name="text">The whole text, or null if the steps say it.</param>
    public Quirk Completes(string? text = null) => this with { Outcome = new QuirkOutcome { Text = text } };

    /// <inheritdoc cref="Completes"/>
    public Quirk IsIncomplete(string reason, string? text = null) => this with { Outcome = new QuirkOutcome { IncompleteReason = reason, Text = text } };

    public Quirk Fails(string reason, bool? isRetryable) => FailsWithOneOf(isRetryable, reason);

    public Quirk FailsWithOneOf(bool? isRetryable, params string[] reasons) =>
        this with { Outcome = new QuirkOutcome { FailureReasons = reasons, IsRetryable = isRetryable } };

    private Quirk Then(QuirkStep step) => this with { Steps = Steps.Add(step) };
}
