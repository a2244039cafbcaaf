using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Reads a body whole, with its limit enforced while it reads.</summary>
internal static class RequestBody
{
    /// <returns>The bytes, or why there are none: exactly one of the two.</returns>
    public static async Task<(byte[]? Utf8, MessageRefusal? Refusal)> ReadAsync(HttpRequest request, int maxBytes)
    {
        var tooLarge = new MessageRefusal(WireErrors.MessageTooLarge, $"A body may have {maxBytes} bytes.");
        if (request.ContentLength > maxBytes)
        {
            return (null, tooLarge);
        }

        using var body = new MemoryStream((int)(request.ContentLength ?? 1024));
        var buffer = new byte[4096];
        int read;
        while ((read = await ReadPartAsync(request, buffer)) > 0)
        {
            if (body.Length + read > maxBytes)
            {
                return (null, tooLarge);
            }

            body.Write(buffer, 0, read);
        }

        var utf8 = body.ToArray();
        return Utf8.IsValid(utf8) ? (utf8, null) : (null, new(WireErrors.BadRequest, "The body is not valid UTF-8."));
    }

    private static async ValueTask<int> ReadPartAsync(HttpRequest request, byte[] buffer)
    {
        try
        {
            return await request.Body.ReadAsync(buffer, request.HttpContext.RequestAborted);
        }
        catch (IOException left) when (left is not BadHttpRequestException)
        {
            // A client that leaves in the middle of its body is no fault of anybody here; said so, the web server takes it for no fault either.
            request.HttpContext.Abort();
            throw new OperationCanceledException("The client left while it sent its body.", left);
        }
    }
}
