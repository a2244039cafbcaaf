using System.Text;
using OrleansSessions.Fuzz.Hosts;

namespace OrleansSessions.Fuzz.Requests;

/// <summary>Sends each input as a request on a connection of its own, and checks each response to it.</summary>
public sealed class RequestTarget(FuzzHost host) : IFuzzTarget
{
    private const int ProbeEvery = 100;
    private const int MaxResponses = 20;

    /// <summary>After this silence the server waits for more of the request, or sends an endless answer.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(400);
    private int _checked;

    public string Kind => "requests";

    public bool IsRepeatable => false;

    public int Parallelism => 24;

    public byte[] Create(Random random) => RequestText.Create(random);

    public async ValueTask<string?> CheckAsync(byte[] input)
    {
        // 1. Send the request, and read until its response is complete or nothing more comes.
        using var connection = await WireConnection.OpenAsync(host.Address);
        await connection.SendAsync(WithAuthority(input));
        await connection.ReadUntilAsync(() => FirstOf(connection) is { IsComplete: true, Status: >= 200 }, Silence);

        // 2. Without a client the server ends everything: requests that are not complete, event streams, sockets.
        connection.EndSending();
        if (!await connection.ReadToEndAsync())
        {
            return $"the server does not end the connection within {WireConnection.Patience.TotalSeconds} s";
        }

        // 3. A connection that was closed without a word is an answer to what is no HTTP.
        if (FindInResponses(connection) is { } fault)
        {
            return fault;
        }

        if (Interlocked.Increment(ref _checked) % ProbeEvery == 0)
        {
            await host.ProbeAsync();
        }

        return host.Log.FirstError;
    }

    private static string? FindInResponses(WireConnection connection)
    {
        var rest = connection.Received;
        for (var count = 0; count < MaxResponses && rest.Length > 0; count++)
        {
            if (ResponseReader.Read(rest, SeenRequests.Header) is not { } response || response.Status == 101)
            {
                // After 101 come the frames of a socket.
                return null;
            }

            if (ResponseChecks.Find(response) is { } fault)
            {
                return fault;
            }

            rest = rest[response.Length..];
        }

        return null;
    }

    private static Response? FirstOf(WireConnection connection) => ResponseReader.Read(connection.Received, SeenRequests.Header);

    /// <summary>Replaces the name of the authority with the host and port of this run.</summary>
    private byte[] WithAuthority(byte[] input)
    {
        var (name, authority) = (Encoding.ASCII.GetBytes(RequestText.Authority), Encoding.ASCII.GetBytes(host.Address.Authority));
        var request = new List<byte>(input.Length);
        var rest = input.AsSpan();
        for (var at = rest.IndexOf(name); at >= 0; at = rest.IndexOf(name))
        {
            request.AddRange(rest[..at]);
            request.AddRange(authority);
            rest = rest[(at + name.Length)..];
        }

        request.AddRange(rest);
        return [.. request];
    }
}
