using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Clients;

/// <summary>The request of a client for a socket. The case decides what becomes of it.</summary>
internal sealed class UpgradeAttempt(HttpContext context, ClientScene scene)
{
    public const string V1 = "sessions.v1.json";
    private const string BearerProtocol = "bearer.";

    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string? Epoch => Query("epoch");

    public string? After => Query("after");

    /// <summary>When the request arrived, in milliseconds of an unspecified clock.</summary>
    public double AtMs { get; } = TimeProvider.System.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>False while the request waits for the case.</summary>
    public bool IsDecided { get; private set; }

    /// <summary>Ends when the case has decided, and the socket, if there is one, has ended.</summary>
    public Task Finished => _finished.Task;

    private IList<string> Offered => context.WebSockets.WebSocketRequestedProtocols;

    /// <summary>The token, in whichever of the ways of section 2 it was sent, or null.</summary>
    public string? Token
    {
        get
        {
            var header = context.Request.Headers.Authorization.ToString();
            return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..]
                : Offered.FirstOrDefault(protocol => protocol.StartsWith(BearerProtocol, StringComparison.Ordinal)) is { } encoded
                    ? Encoding.UTF8.GetString(Base64Url.DecodeFromChars(encoded.AsSpan(BearerProtocol.Length)))
                : Query("access_token");
        }
    }

    public bool IsV1 => Offered.Contains(V1) || (Offered.Count == 0 && Query("v") == "1");

    public async Task<ScriptedSocket> OpenAsync()
    {
        IsDecided = true;
        Check.That(context.WebSockets.IsWebSocketRequest, "a WebSocket upgrade", context.Request.Method);
        Check.That(IsV1, $"the subprotocol {V1}, or v=1 without any", $"{context.Request.QueryString} [{string.Join(", ", Offered)}]");
        var socket = await context.WebSockets.AcceptWebSocketAsync(Offered.Contains(V1) ? V1 : null);
        return new(socket, context.Abort, scene, () => _finished.TrySetResult());
    }

    /// <summary>Answers with a status instead of a socket.</summary>
    public async Task RefuseAsync(Refusal refusal)
    {
        IsDecided = true;
        scene.Transcript.Add("server", $"{refusal.Status} {refusal.Problem}");
        await refusal.WriteAsync(context.Response);
        _finished.TrySetResult();
    }

    public void Abort()
    {
        IsDecided = true;
        scene.Transcript.Add("server", "breaks the connection");
        context.Abort();
        _finished.TrySetResult();
    }

    private string? Query(string name) => context.Request.Query.TryGetValue(name, out var value) ? value.ToString() : null;
}
