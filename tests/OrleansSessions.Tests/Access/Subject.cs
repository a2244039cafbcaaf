using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using OrleansSessions.TestKit.Sockets;

namespace OrleansSessions.Tests.Access;

/// <summary>A caller with a token, or without one, at one host.</summary>
internal sealed class Subject(SocketHost host, string? token)
{
    public static Subject Named(SocketHost host, string name, string permissions = "") => new(host, TestTokens.Of(name, permissions));

    public async Task<(int Status, JsonElement Body)> SendAsync(
        HttpMethod method, string path, object? body = null, string accept = "application/json", string? prefer = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Accept.ParseAdd(accept);
        request.Headers.Add("Prefer", prefer is null ? [] : [prefer]);
        request.Content = body is null ? null : JsonContent.Create(body);
        using var response = await host.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    public async Task<(int Status, string? Code)> RefusedAsync(HttpMethod method, string path, object? body = null, string accept = "application/json")
    {
        var (status, problem) = await SendAsync(method, path, body, accept);
        return (status, problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("code", out var code) ? code.GetString() : null);
    }

    /// <summary>Asks and waits for the answer.</summary>
    public async Task<JsonElement> AskAsync(string session, string question, string? id = null, string query = "")
    {
        var (status, body) = await SendAsync(HttpMethod.Post, $"/v1/sessions/{session}/questions{query}", new { question, id }, prefer: "wait=20");
        return status == 200 ? body : throw new InvalidOperationException($"{status}: {body}");
    }

    public Task<TestSocket> ConnectAsync(string session, string query = "?v=1") =>
        TestSocket.ConnectAsync(host.SocketAddress($"/ws/{session}{query}"), options =>
        {
            if (token is not null)
            {
                options.SetRequestHeader("Authorization", $"Bearer {token}");
            }
        });

    /// <summary>Follows the session as server-sent events.</summary>
    public Task<EventStreamClient> FollowAsync(string session, string query = "") =>
        EventStreamClient.OpenAsync(host.Http, $"/v1/sessions/{session}/events{query}", token: token);
}
