using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansSessions.SocketGateway.Http;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(QuestionBody))]
[JsonSerializable(typeof(QuestionListBody))]
[JsonSerializable(typeof(AcceptedBody))]
[JsonSerializable(typeof(CancellingBody))]
[JsonSerializable(typeof(OffsetBody))]
[JsonSerializable(typeof(DeliveredBody))]
[JsonSerializable(typeof(SessionBody))]
[JsonSerializable(typeof(SessionListBody))]
internal sealed partial class HttpJson : JsonSerializerContext
{
    /// <summary>Like <see cref="HttpJson.Default"/>, but text is not escaped for HTML, because nothing here becomes part of HTML.</summary>
    public static HttpJson Readable { get; } = new(new JsonSerializerOptions
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
