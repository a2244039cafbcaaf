using Microsoft.AspNetCore.Http;
using OrleansSessions.SocketGateway.Http;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class RequestBodyTests
{
    [Fact]
    public void ABodyThatWasAnnounced_AndDoesNotCome_IsNotAllocated()
    {
        const int Announced = 2 * 1024 * 1024;
        var warm = Begin(Announced);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var reading = Begin(Announced);

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.False(warm.IsCompleted || reading.IsCompleted);
        Assert.InRange(allocated, 0, 64 * 1024);
    }

    [Fact]
    public async Task ABodyInParts_IsReadWhole_AndNotPastItsLimit()
    {
        var whole = new byte[100_000];
        Array.Fill(whole, (byte)' ');

        Assert.Equal(whole, (await RequestBody.ReadAsync(Request(new MemoryStream(whole)), whole.Length)).Utf8);
        Assert.Equal("message_too_large", (await RequestBody.ReadAsync(Request(new MemoryStream(whole)), whole.Length - 1)).Refusal?.Error.Code);
    }

    private static Task<(byte[]? Utf8, OrleansSessions.Protocol.ErrorMessage? Refusal)> Begin(int announced)
    {
        var request = Request(new System.IO.Pipelines.Pipe().Reader.AsStream());
        request.ContentLength = announced;
        return RequestBody.ReadAsync(request, announced);
    }

    private static HttpRequest Request(Stream body)
    {
        var request = new DefaultHttpContext().Request;
        (request.ContentType, request.Body) = ("application/json", body);
        return request;
    }
}
