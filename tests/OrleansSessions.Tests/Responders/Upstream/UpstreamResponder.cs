using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>The only place in the tests that creates the responder by itself.</summary>
internal static class UpstreamResponder
{
    public static OpenAIResponder Create(string endpoint, Action<OpenAIOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new OpenAIOptions { Endpoint = endpoint, Model = "fake", ApiKey = "sk-secret" };
        configure?.Invoke(options);
        return new OpenAIResponder(Options.Create(options), time ?? TimeProvider.System, NullLogger<OpenAIResponder>.Instance);
    }

    public static ResponderContext Ask(string question = "hi") => new() { SessionKey = "/s", QuestionId = "q", Question = question };
}
