using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace OrleansSessions.TestKit.Upstream;

/// <summary>
/// One request to <see cref="RawUpstream"/> and its response, which the test sends byte by byte. Call only one step at a time. What a step sends has
/// left when the step returns. A step throws <see cref="IOException"/> if the connection is closed.
/// </summary>
public sealed class RawExchange
{
    private readonly RawConnection _connection;
    private readonly RawRequest _request;
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closedByClient = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isChunked;
    private bool _endsWithConnection;

    internal RawExchange(RawConnection connection, RawRequest request, int requestNumber)
    {
        _connection = connection;
        _request = request;
        RequestNumber = requestNumber;
    }

    public string Method => _request.Method;

    /// <summary>The path and the query.</summary>
    public string Target => _request.Target;

    /// <summary>The headers by name, in any case.</summary>
    public IReadOnlyDictionary<string, string> Headers => _request.Headers;

    public ReadOnlyMemory<byte> Body => _request.Body;

    /// <summary>The body as JSON.</summary>
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(_request.Body);

    /// <summary>The number of the TCP connection, from 1.</summary>
    public int ConnectionNumber => _connection.Number;

    /// <summary>The number of the request on its connection, from 1.</summary>
    public int RequestNumber { get; }

    /// <summary>Completes when the client has closed or reset the connection before the response ended. Cancelled if the response ends first.</summary>
    public Task ClosedByClient => _closedByClient.Task;

    internal bool IsEnded => _ended.Task.IsCompleted;

    /// <summary>True if the connection can serve another request.</summary>
    internal Task<bool> Ended => _ended.Task;

    /// <summary>Sends the status line and exactly these headers. Add one of <see cref="RawFraming"/>.</summary>
    public Task SendHeadAsync(int status, params (string Name, string Value)[] headers) => SendRawAsync(Head(status, headers));

    /// <summary>Sends bytes of the body: as a chunk if the head promised chunks, otherwise unchanged.</summary>
    public Task SendBodyAsync(ReadOnlyMemory<byte> bytes) => _isChunked ? SendChunkAsync(bytes) : SendRawAsync(bytes);

    /// <inheritdoc cref="SendBodyAsync(ReadOnlyMemory{byte})"/>
    public Task SendBodyAsync(string text) => SendBodyAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Sends the bytes as one HTTP chunk. A chunk of no bytes would end the body, so nothing is sent for it.</summary>
    public Task SendChunkAsync(ReadOnlyMemory<byte> bytes) => bytes.Length == 0
        ? Task.CompletedTask
        : SendRawAsync((byte[])[.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes.Span, .. "\r\n"u8]);

    /// <inheritdoc cref="SendChunkAsync(ReadOnlyMemory{byte})"/>
    public Task SendChunkAsync(string text) => SendChunkAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Sends bytes unchanged.</summary>
    public Task SendRawAsync(ReadOnlyMemory<byte> bytes) => _connection.SendAsync(bytes);

    /// <summary>Sends text as UTF-8, unchanged.</summary>
    public Task SendRawAsync(string text) => SendRawAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// Sends a whole response, in one segment, because a client that needs only the head may close the connection then. Otherwise it stays open for the next
    /// request.
    /// </summary>
    public async Task AnswerAsync(int status, string contentType, string body, params (string Name, string Value)[] headers)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var head = Head(status, [("Content-Type", contentType), RawFraming.Length(bytes.Length), .. headers]);
        await SendRawAsync((byte[])[.. Encoding.UTF8.GetBytes(head), .. bytes]);
        await EndAsync();
    }

    /// <summary>
    /// Ends the response as its head promised: with the last chunk, or by closing the connection. Otherwise nothing is sent. Except in the second case
    /// the connection stays open for the next request.
    /// </summary>
    public async Task EndAsync()
    {
        if (_endsWithConnection)
        {
            Close();
            return;
        }

        if (_isChunked)
        {
            await SendRawAsync("0\r\n\r\n");
        }

        End(isReusable: true);
    }

    /// <summary>Closes the connection in an orderly way (FIN), wherever the response is.</summary>
    public void Close()
    {
        End(isReusable: false);
        _connection.SendFin();
    }

    /// <summary>Resets the connection (RST), wherever the response is. The client can lose bytes that it has not read.</summary>
    public void Reset()
    {
        End(isReusable: false);
        _connection.Reset();
    }

    internal void OnClosedByClient()
    {
        if (_ended.TrySetResult(false))
        {
            _closedByClient.TrySetResult();
        }
    }

    internal void OnConnectionEnded() => End(isReusable: false);

    private void End(bool isReusable)
    {
        if (_ended.TrySetResult(isReusable))
        {
            _closedByClient.TrySetCanceled();
        }
    }

    private string Head(int status, (string Name, string Value)[] headers)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {ReasonPhrases.GetReasonPhrase(status)}\r\n");
        foreach (var (name, value) in headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        _isChunked = headers.Contains(RawFraming.Chunked);
        _endsWithConnection = headers.Contains(RawFraming.UntilClose);
        return head.Append("\r\n").ToString();
    }
}
