using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using OrleansSessions.Chaos.Proxies;
using OrleansSessions.Chaos.Transcripts;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Chaos.Clients;

/// <summary>A response over HTTP.</summary>
internal sealed record HttpReply(int Status, JsonElement Body)
{
    private const int FirstError = 400;

    /// <summary>True if the same request can succeed later. An ended question has such a field, too, and is no refusal.</summary>
    public bool IsRetryable => Status >= FirstError && Body.ValueKind == JsonValueKind.Object && Body.Flag("retryable");
}

/// <summary>The HTTP requests of one client.</summary>
internal sealed class HttpCaller(RunParts parts, Transcript transcript, string session, Random random)
{
    private static readonly TimeSpan CallPatience = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private int _number;

    /// <summary>The paths below this session.</summary>
    public string Path(string rest) => $"/v1/sessions/{session}{rest}";

    /// <summary>Sends a request. Returns null if there was no response.</summary>
    public async Task<HttpReply?> CallAsync(HttpMethod method, int node, string rest, string? body, CancellationToken cancellationToken)
    {
        var number = -Interlocked.Increment(ref _number);
        transcript.Add(parts.Clock.Now, number, EntryKind.Requested, $"node {node} {method} {Path(rest)} {body}");
        using var request = new HttpRequestMessage(method, parts.Address(node, Path(rest)));
        request.Headers.Add(ProxyLink.NameHeader, ClientBoard.LinkName(transcript.Client, number));
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(CallPatience);
        try
        {
            using var response = await parts.Http.SendAsync(request, patience.Token);
            var text = await response.Content.ReadAsStringAsync(patience.Token);
            transcript.Add(parts.Clock.Now, number, EntryKind.Replied, $"{(int)response.StatusCode} {text}");
            return new((int)response.StatusCode, text.StartsWith('{') ? JsonSerializer.Deserialize<JsonElement>(text) : default);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException
            || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            transcript.Add(parts.Clock.Now, number, EntryKind.Note, "no response");
            return null;
        }
    }

    /// <summary>Repeats a request, on one node after another, until there is a response that is no advice to repeat it.</summary>
    public async Task<HttpReply> UntilAsync(HttpMethod method, string rest, string? body, CancellationToken cancellationToken)
    {
        for (var node = random.Next(parts.Nodes); ; node = parts.Other(node, random))
        {
            if (await CallAsync(method, node, rest, body, cancellationToken) is { } reply)
            {
                if (!reply.IsRetryable)
                {
                    return reply;
                }

                parts.Counts.Add(Results.CountNames.Refused + reply.Body.Code());
            }

            await RunClock.DelayAsync(Pause, cancellationToken);
        }
    }
}

internal static class HttpReplies
{
    /// <summary>The code of a problem document.</summary>
    public static string Code(this JsonElement body) => body.ValueKind == JsonValueKind.Object ? body.Text("code") ?? "none" : "none";
}
