using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace OrleansSessions.Fuzz.Hosts;

/// <summary>
/// Marks each response with what the application has seen of its request. What has no such mark was answered by the web server itself, which knows nothing of
/// the protocol.
/// </summary>
internal sealed class SeenRequests(UsedSessions used) : IStartupFilter
{
    /// <summary>The name of the header with the method and the path, escaped.</summary>
    public const string Header = "Fuzz-Seen";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(async (HttpContext context, RequestDelegate rest) =>
        {
            var path = context.Request.Path.Value ?? "";
            context.Response.Headers[Header] = Uri.EscapeDataString($"{context.Request.Method} {path}");
            context.Response.OnStarting(() =>
            {
                if (context.Response.StatusCode < StatusCodes.Status300MultipleChoices && SessionIn(path) is { } id)
                {
                    used.Add(id);
                }

                return Task.CompletedTask;
            });
            await rest(context);
        });
        next(app);
    };

    private static string? SessionIn(string path) => path.Split('/') switch
    {
        ["", "ws", var id, ..] => id,
        ["", "v1", "sessions", var id, ..] => id,
        _ => null,
    };
}
