using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>Creates the clients. The library's defaults suit requests that end by themselves, not answers that people watch and cancel.</summary>
internal static class OpenAITransport
{
    /// <summary>The library throws on an empty key, and servers that need no key ignore it.</summary>
    private const string NoKey = "none";

    public static HttpClient CreateHttpClient(OpenAIOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            // By default an abandoned response is read for two more seconds to reuse its connection, while the upstream continues to compute.
            MaxResponseDrainSize = 0,
            ConnectTimeout = options.ConnectTimeout,
            // Names are resolved only when a connection opens. A limited lifetime finds an upstream that has moved.
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
            // The session decides whether to ask again. A hidden retry would ask the model twice and wait for seconds.
            RetryPolicy = new ClientRetryPolicy(0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        }).AsIChatClient();
    }
}
