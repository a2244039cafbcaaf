using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Responders.OpenAI.Failures;
using OrleansSessions.Responders.OpenAI.Http;
using OrleansSessions.Responders.OpenAI.Requests;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>
/// Sends the question to an OpenAI-compatible endpoint and forwards the text as it arrives. It has no time limit of its own except for the
/// connection: the session's timers cancel the token, and a cancel closes the connection at once.
/// </summary>
internal sealed class OpenAIResponder : IResponder, IDisposable
{
    private readonly OpenAIOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly UpstreamClient _client;

    public OpenAIResponder(IOptions<OpenAIOptions> options, TimeProvider time, ILogger<OpenAIResponder> logger)
    {
        (_options, _time, _logger) = (options.Value, time, logger);
        _client = new UpstreamClient(_options, time, logger);
    }

    /// <summary>A model cannot go on from the middle of a text that it does not remember.</summary>
    public RecoveryMode Recovery => RecoveryMode.AskAgain;

    public OptionFault? CheckOptions(JsonElement options) => QuestionChoice.FindFault(_options, options);

    public async IAsyncEnumerable<AnswerPiece> AnswerAsync(
        ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // 1. Ask.
        var choice = QuestionChoice.Of(_options, context.OptionsJson);
        var request = new ChatRequest(_options, context, choice);
        var failures = new UpstreamFailures(_logger, context, _client.Host, new PrivateWords(_options, context.Question)) { SentFields = request.Fields };
        var response = await _client.SendAsync(request, failures, cancellationToken);
        failures.Response = response;
        var isFinished = false;
        try
        {
            // 2. A status that is no success says why, mostly.
            if (!response.IsSuccessStatusCode)
            {
                var error = await FailedResponse.ReadErrorAsync(response, _time, cancellationToken);
                throw failures.Rejected(error, FailedResponse.ReadRetryAfter(response, _time));
            }

            // 3. Forward what comes, until the upstream or the answer has ended.
            failures.ThrowIfCompressed();
            var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            using var answer = new UpstreamAnswer(body, choice.Model, failures, _time, cancellationToken);
            await foreach (var piece in answer.ReadAsync())
            {
                yield return piece;
            }

            // 4. Without an error, how it ended says whether it is whole.
            isFinished = true;
            if (answer.FindEnd() is { } reason)
            {
                yield return AnswerPiece.Stop(reason);
            }
        }
        finally
        {
            // 5. A response that is not finished closes its connection, so that the upstream stops.
            _client.Release(response, isFinished);
        }
    }

    public void Dispose() => _client.Dispose();
}
