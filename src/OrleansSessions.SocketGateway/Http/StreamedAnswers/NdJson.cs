using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Http.StreamedAnswers;

/// <summary>The content type of a body of JSON objects, one a line.</summary>
internal static class NdJson
{
    public const string ContentType = "application/x-ndjson";

    public static ErrorMessage NeitherJsonNorNdJson { get; } = new(
        WireErrors.UnsupportedMediaType, $"The Content-Type of a body here is application/json, or {ContentType} for one piece a line.", Param: "Content-Type");

    public static bool IsBodyOf(HttpRequest request) =>
        request.GetTypedHeaders().ContentType is { } type && type.MediaType.Equals(ContentType, StringComparison.OrdinalIgnoreCase);
}
