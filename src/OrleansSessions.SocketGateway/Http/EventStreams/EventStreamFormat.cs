using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>Writes server-sent events.</summary>
internal static class EventStreamFormat
{
    /// <param name="id">The id of the event, or null to leave the client's last one as it is.</param>
    /// <param name="json">The data, without line breaks, so that one data line is sufficient.</param>
    public static void Write(PipeWriter body, string? id, ReadOnlySpan<byte> json)
    {
        if (id is not null)
        {
            body.Write("id: "u8);
            Encoding.ASCII.GetBytes(id, body);
            body.Write("\n"u8);
        }

        body.Write("data: "u8);
        body.Write(json);
        body.Write("\n\n"u8);
    }
}
