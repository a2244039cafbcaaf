namespace OrleansSessions.Server.Page;

/// <summary>The page at <c>/</c>, from inside the executable: it works from any folder.</summary>
internal static class PageEndpoints
{
    private const string Index = "index.html";

    /// <summary>Its own scripts, styles and sockets, and nothing from anywhere else.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "
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
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            // Kept, but asked about each time: a new version of the server is a new page at once.
            headers.CacheControl = "no-cache";
            return file.ToResult();
        }).ExcludeFromDescription();
}
