namespace OrleansSessions.Server.Page;

/// <summary>Serves the page at <c>/</c> from the executable, so it works from any folder.</summary>
internal static class PageEndpoints
{
    private const string Index = "index.html";

    /// <summary>Allows the page's own scripts, styles and sockets, and nothing from other origins.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void MapPage(this IEndpointRouteBuilder endpoints)
    {
        foreach (var file in EmbeddedFile.ReadAll("page"))
        {
            Map(endpoints, $"/{file.Path}", file);
            if (file.Path == Index)
            {
                Map(endpoints, "/", file);
            }
        }
    }

    private static void Map(IEndpointRouteBuilder endpoints, string path, EmbeddedFile file) =>
        endpoints.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], (HttpContext context) =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            // Cached, but revalidated each time, so that a new version of the server shows its new page at once.
            headers.CacheControl = "no-cache";
            return file.ToResult();
        }).ExcludeFromDescription();
}
