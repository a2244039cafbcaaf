using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace OrleansSessions.Server.Page;

/// <summary>A file that is embedded in the executable.</summary>
/// <param name="Path">The path under which it is served, relative to its folder: <c>app.js</c>.</param>
/// <param name="Tag">Changes with the content.</param>
internal sealed record EmbeddedFile(string Path, string ContentType, byte[] Content, EntityTagHeaderValue Tag)
{
    private static readonly FileExtensionContentTypeProvider ContentTypes = new();

    /// <summary>Reads every file in one folder of the manifest.</summary>
    public static IEnumerable<EmbeddedFile> ReadAll(string folder)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var prefix = folder + "/";
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            yield return new EmbeddedFile(name[prefix.Length..].Replace('\\', '/'), ContentTypeOf(name), content, TagOf(content));
        }
    }

    /// <summary>Answers a GET or HEAD request, with 304 if the client already has this content.</summary>
    public IResult ToResult() => Results.Bytes(Content, ContentType, entityTag: Tag);

    private static string ContentTypeOf(string name) =>
        !ContentTypes.TryGetContentType(name, out var type) ? "application/octet-stream"
        : type.StartsWith("text/", StringComparison.Ordinal) ? $"{type}; charset=utf-8"
        : type;

    private static EntityTagHeaderValue TagOf(byte[] content) => new($"\"{Convert.ToHexStringLower(SHA256.HashData(content)[..12])}\"");
}
