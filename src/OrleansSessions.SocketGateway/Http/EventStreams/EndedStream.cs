using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>A stream of one message, which says when to come back.</summary>
internal sealed class EndedStream(ServerMessage last) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => StatusCodes.Status200OK;

    /// <summary>Lets the web server close the connection after this response, so that the client comes back on a new one and a balancer can choose another process.</summary>
    public static void CloseConnection(HttpContext context) => context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        CloseConnection(httpContext);
        EventStreamHeaders.Set(httpContext);
        var buffer = FrameBuffer.Rent();
        try
        {
            EventStreamFormat.Write(httpContext.Response.BodyWriter, id: null, buffer.Write(last).Span);
            await httpContext.Response.BodyWriter.FlushAsync(httpContext.RequestAborted);
        }
        finally
        {
            FrameBuffer.Return(buffer);
        }
    }
}
