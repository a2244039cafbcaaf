using System.Text.Json;
using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

/// <summary>Asks the responder whether it takes the options of a question, before the question is admitted. Runs in a turn of the session's grain.</summary>
internal sealed partial class OptionsCheck(ActiveResponder responder, string sessionKey, ILogger logger)
{
    /// <summary>The longest message of a fault. It is sent to a client, and a responder may repeat the value that it refuses.</summary>
    private const int MaxMessageBytes = 1024;

    /// <summary>As strict as the parser of frames, because a host can call the grain itself.</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Returns what is wrong with the options, or null.</summary>
    /// <exception cref="InvalidOperationException">The responder failed. That is logged, and the exception has nothing of the responder's own.</exception>
    public OptionFault? FindFault(string optionsJson)
    {
        JsonDocument options;
        try
        {
            options = JsonDocument.Parse(optionsJson, Strict);
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)
        {
            return NoObject;
        }

        using (options)
        {
            return options.RootElement.ValueKind == JsonValueKind.Object ? AskResponder(options.RootElement) : NoObject;
        }
    }

    private static OptionFault NoObject => new("", "The options are not a valid JSON object.");

    private OptionFault? AskResponder(JsonElement options)
    {
        try
        {
            return responder.Responder.CheckOptions(options) is { } fault
                ? fault with { Message = ScalarGuard.CutToBytes(fault.Message, MaxMessageBytes) }
                : null;
        }
        catch (Exception fault)
        {
            LogMessages.Threw(logger, sessionKey, responder.LogsMessages ? LoggedException.WithMessages(fault) : LoggedException.Of(fault));

            // Not as the inner exception: Orleans logs what a grain throws, and its message can hold what the user sent.
            throw new InvalidOperationException("The responder could not check the options of a question.");
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "Session {SessionKey}: the responder threw when it checked the options of a question")]
        public static partial void Threw(ILogger logger, string sessionKey, LoggedException fault);
    }
}
