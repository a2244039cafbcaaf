using System.Text.Unicode;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Reads a JSON body whole, with its limit enforced while it reads.</summary>
internal static class RequestBody
{
    private const int PartBytes = 4096;

    public static ErrorMessage NotJson { get; } = new(WireErrors.UnsupportedMediaType, "The Content-Type of a body here is application/json.", Param: "Content-Type");

    /// <returns>The bytes, or why there are none: exactly one of the two.</returns>
    public static async Task<(byte[]? Utf8, ErrorMessage? Refusal)> ReadAsync(HttpRequest request, int maxBytes)
    {
        // A form of a foreign page can send any text as text/plain without asking first. JSON it cannot.
        if (!request.HasJsonContentType())
        {
            return (null, NotJson);
        }

        var tooLarge = Refusals.MessageTooLarge("body", maxBytes);
        if (request.ContentLength > maxBytes)
        {
            return (null, tooLarge);
        }

        // It grows with what comes, not with what was announced: an announcement costs its sender nothing.
        using var body = new MemoryStream();
        var buffer = new byte[PartBytes];
        int read;

        // The web server ends a read by itself when the client leaves. A read that is cancelled at the same moment leaves it in a state that it logs as a fault.
        while ((read = await GuardAsync(request.HttpContext, request.Body.ReadAsync(buffer, CancellationToken.None))) > 0)
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

    /// <summary>Awaits a read of the body, and ends the request where the client is gone.</summary>
    public static async ValueTask<T> GuardAsync<T>(HttpContext context, ValueTask<T> reading)
    {
        try
        {
            return await reading;
        }
        catch (IOException left) when (left is not BadHttpRequestException)
        {
            // A client that leaves in the middle of its body is no fault of this server. As a cancellation, the web server does not log it as one.
            context.Abort();
            throw new ConnectionAbortedException("The client left while it sent its body.", left);
        }
    }
}
