using OrleansSessions.Server.Page;

namespace OrleansSessions.Server.Documents;

/// <summary>Serves the machine-readable contracts: OpenAPI for HTTP; AsyncAPI and JSON Schema for the socket, as they are in the repository.</summary>
internal static class DocumentEndpoints
{
    public static void MapDocuments(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpenApi();
        foreach (var file in EmbeddedFile.ReadAll("documents"))
        {
            endpoints.MapMethods($"/{file.Path}", [HttpMethods.Get, HttpMethods.Head], file.ToResult).ExcludeFromDescription();
        }
    }
}
