using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>The library's defaults suit requests that end by themselves; an answer that people watch and cancel needs others.</summary>
internal static class OpenAITransport
{
    /// <summary>The library throws on an empty key, and servers without keys ignore whatever they get.</summary>
    private const string NoKey = "none";

    public static HttpClient CreateHttpClient(OpenAIOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            // By default an abandoned response is read on for two seconds to save its connection, while the upstream goes on computing.
            MaxResponseDrainSize = 0,
            ConnectTimeout = options.ConnectTimeout,
            // Finds a moved upstream: names are looked up only when a connection opens.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public static IChatClient CreateChatClient(OpenAIOptions options, HttpClient http)
    {
        var key = new ApiKeyCredential(options.ApiKey.Length > 0 ? options.ApiKey : NoKey);
        return new ChatClient(options.Model, key, new OpenAIClientOptions
        {
            Endpoint = new Uri(options.Endpoint),
            Transport = new HttpClientPipelineTransport(http),
            // Whether to ask again is the session's decision: a hidden retry asks a model twice and waits for seconds.
            RetryPolicy = new ClientRetryPolicy(0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        }).AsIChatClient();
    }
}
