using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>
/// A streamed answer in the making: a request whose body the test writes part by part, each as a chunk of its own. It reads the reply while it is still
/// sending, which <see cref="HttpClient"/> does not over HTTP/1.1.
/// </summary>
public sealed class AnswerUpload : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TcpClient _connection;
    private readonly NetworkStream _stream;
    private readonly Task<UploadReply> _reply;

    private AnswerUpload(TcpClient connection)
    {
        (_connection, _stream) = (connection, connection.GetStream());
        _reply = ReadAsync();
    }

    public bool IsReplied => _reply.IsCompleted;

    public static async Task<AnswerUpload> StartAsync(Uri server, string session, string questionId, string contentType = "application/x-ndjson")
    {
        var connection = new TcpClient { NoDelay = true };
        await connection.ConnectAsync(server.Host, server.Port).WaitAsync(Patience);
        var upload = new AnswerUpload(connection);
        await upload.WriteRawAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/sessions/{session}/questions/{questionId}/answer HTTP/1.1\r\nHost: {server.Authority}\r\nContent-Type: {contentType}\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n"));
        return upload;
    }

    /// <summary>Sends all of a body as one chunk.</summary>
    public static async Task<UploadReply> SendAsync(Uri server, string session, string questionId, params string[] lines)
    {
        await using var upload = await StartAsync(server, session, questionId);
        await upload.WriteAsync(string.Join('\n', lines));
        await upload.CompleteAsync();
        return await upload.ReplyAsync();
    }

    public Task WriteLineAsync(string line) => WriteAsync(line + "\n");

    public Task WriteAsync(string text) => WriteAsync(Encoding.UTF8.GetBytes(text));

    public Task WriteAsync(byte[] part) => part.Length == 0
        ? Task.CompletedTask
        : WriteRawAsync([.. Encoding.ASCII.GetBytes(part.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), .. part, (byte)'\r', (byte)'\n']);

    /// <summary>Ends the body.</summary>
    public Task CompleteAsync() => WriteRawAsync("0\r\n\r\n"u8.ToArray());

    /// <summary>Cuts the connection in the middle of the body.</summary>
    public void Leave() => _connection.Client.Close(0);

    public Task<UploadReply> ReplyAsync() => _reply.WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        _connection.Dispose();
        await _reply.ContinueWith(static _ => { }, TaskScheduler.Default);
    }

    private Task WriteRawAsync(byte[] bytes) => _stream.WriteAsync(bytes).AsTask().WaitAsync(Patience);

    private async Task<UploadReply> ReadAsync()
    {
        using var reader = new StreamReader(_stream, Encoding.Latin1, leaveOpen: true);
        var status = (HttpStatusCode)int.Parse((await LineAsync(reader)).Split(' ')[1], CultureInfo.InvariantCulture);
        while ((await LineAsync(reader)).Length > 0)
        {
        }

        // Every reply to this request is written as JSON of unknown length, so it comes in chunks.
        var body = new StringBuilder();
        while (int.Parse(await LineAsync(reader), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is > 0 and var length)
        {
            var chunk = new char[length];
            await reader.ReadBlockAsync(chunk);
            body.Append(chunk);
            await LineAsync(reader);
        }

        return new(status, JsonSerializer.Deserialize<JsonElement>(Encoding.Latin1.GetBytes(body.ToString())));
    }

    private static async Task<string> LineAsync(StreamReader reader) =>
        await reader.ReadLineAsync() ?? throw new IOException("The connection ended before the reply did.");
}

/// <summary>How a streamed answer was answered.</summary>
public sealed record UploadReply(HttpStatusCode Status, JsonElement Body)
{
    public string? Code => Body.Text("code");

    public long? Offset => Body.Number("offset");

    public long? ExpectedOffset => Body.Number("expected_offset");
}
