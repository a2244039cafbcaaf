using Microsoft.AspNetCore.Http;

namespace OrleansSessions.Conformance.Proxies;

/// <summary>One event stream through the proxy: event by event, so that a plan can count and change its frames.</summary>
internal sealed class ProxiedStream(HttpContext context, Stream server, IProxyPlan plan, int number) : IProxiedConnection
{
    private const string Data = "data:";

    private volatile bool _isCut;

    public int Number { get; } = number;

    public int ServerFrames { get; private set; }

    public async Task RunAsync()
    {
        using var reader = new StreamReader(server);
        while (!_isCut && await reader.ReadLineAsync(context.RequestAborted) is { } line)
        {
            if (line.StartsWith(Data, StringComparison.Ordinal))
            {
                ServerFrames++;
                foreach (var frame in plan.OnServerFrame(this, line[Data.Length..].Trim()))
                {
                    await WriteAsync($"{Data} {frame}\n");
                }
            }
            else
            {
                await WriteAsync(line + "\n");
            }
        }
    }

    public void Reset()
    {
        _isCut = true;
        context.Abort();
    }

    public Task CloseAsync(int code)
    {
        _isCut = true;
        return Task.CompletedTask;
    }

    private async Task WriteAsync(string text)
    {
        await context.Response.WriteAsync(text, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
