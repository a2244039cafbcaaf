using System.Collections.Frozen;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using OrleansSessions.Protocol;
using Xunit.Sdk;

namespace OrleansSessions.TestKit.Schemas;

/// <summary>
/// Validates frames against <c>docs/schemas/socket.schema.json</c>. It selects the definition by the type of the frame,
/// so that a failure names the invalid field instead of every alternative. Thread-safe.
/// </summary>
public static class FrameSchema
{
    private const string ResourceName = "OrleansSessions.TestKit.Schemas.socket.schema.json";

    private static readonly EvaluationOptions Fast = new() { OutputFormat = OutputFormat.Flag };
    private static readonly EvaluationOptions Telling = new() { OutputFormat = OutputFormat.List };

    private static readonly FrozenDictionary<string, JsonSchema> Definitions = Load();

    /// <summary>The text of the schema, for tests that compare it with the code.</summary>
    public static string Text { get; } = ReadResource();

    /// <summary>Throws if the frame is not valid for a server that sends it to a socket of this profile.</summary>
    public static void AssertServerFrame(WireProfile profile, string json) => Assert(json, frame => ServerDefinition(profile, frame), $"{profile} server");

    /// <inheritdoc cref="AssertServerFrame(WireProfile, string)"/>
    public static void AssertServerFrame(WireProfile profile, ReadOnlySpan<byte> utf8) => AssertServerFrame(profile, Encoding.UTF8.GetString(utf8));

    /// <summary>Throws if the frame is not valid for a v1 client. Do not use it for frames that the server is expected to refuse.</summary>
    public static void AssertClientFrame(string json) => AssertClientFrame(WireProfile.V1, json);

    /// <summary>Throws if the frame is not valid for a client of this profile.</summary>
    public static void AssertClientFrame(WireProfile profile, string json) => Assert(json, frame => ClientDefinition(profile, frame), $"{profile} client");

    /// <summary>Returns whether a frame matches one definition of the schema, for example <c>v1Server</c>, using only the schema's own alternatives.</summary>
    public static bool Fits(string definition, string json) => Definitions[definition].Evaluate(JsonNode.Parse(json), Fast).IsValid;

    private static string? ServerDefinition(WireProfile profile, JsonObject frame) => (profile, TypeOf(frame)) switch
    {
        (WireProfile.Basic, "response") => "response",
        (WireProfile.Basic, "error") => frame.ContainsKey("status") ? "basicFailure" : "error",
        (WireProfile.V1, "ping") => "serverPing",
        (WireProfile.V1, "hello" or "accepted" or "delta" or "done" or "snapshot" or "resumed" or "cancelling" or "error" or "expiring" or "reconnect" or "authenticated") =>
            TypeOf(frame),
        _ => null,
    };

    private static string? ClientDefinition(WireProfile profile, JsonObject frame) => (profile, TypeOf(frame)) switch
    {
        (WireProfile.Basic, "cancel") => "basicCancel",
        (WireProfile.Basic, _) => TextOf(frame, "question") is null ? "basicContent" : "basicQuestion",
        (_, null or "question") => "question",
        (_, "cancel") => "cancel",
        (_, "resume") => "resume",
        (_, "auth") => "auth",
        (_, "ping") => "clientPing",
        (_, "pong") => "clientPong",
        _ => null,
    };

    private static void Assert(string json, Func<JsonObject, string?> choose, string direction)
    {
        JsonObject frame;
        try
        {
            frame = JsonNode.Parse(json) as JsonObject ?? throw new XunitException($"A {direction} frame is not a JSON object: {Shorten(json)}");
        }
        catch (JsonException fault)
        {
            throw new XunitException($"A {direction} frame is not JSON ({fault.Message}): {Shorten(json)}", fault);
        }

        var definition = choose(frame) ?? throw new XunitException($"A {direction} frame has the unknown type '{TypeOf(frame)}': {Shorten(json)}");
        var schema = Definitions[definition];
        if (!schema.Evaluate(frame, Fast).IsValid)
        {
            throw new XunitException(Explain(schema.Evaluate(frame, Telling), definition, direction, json));
        }
    }

    private static string Explain(EvaluationResults results, string definition, string direction, string json)
    {
        var text = new StringBuilder($"A {direction} frame violates '{definition}' of socket.schema.json: {Shorten(json)}");
        foreach (var detail in results.Details.Where(detail => detail.HasErrors))
        {
            foreach (var (keyword, message) in detail.Errors!)
            {
                text.Append($"\n  {(detail.InstanceLocation.Count == 0 ? "(frame)" : detail.InstanceLocation.ToString())}: {message} [{keyword}]");
            }
        }

        return text.ToString();
    }

    private static FrozenDictionary<string, JsonSchema> Load()
    {
        var root = JsonSchema.FromText(ReadResource());
        SchemaRegistry.Global.Register(root);
        using var document = JsonDocument.Parse(ReadResource());
        var id = document.RootElement.GetProperty("$id").GetString();
        return document.RootElement.GetProperty("$defs").EnumerateObject().ToFrozenDictionary(
            definition => definition.Name,
            definition => new JsonSchemaBuilder().Ref($"{id}#/$defs/{definition.Name}").Build());
    }

    private static string ReadResource()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"The resource {ResourceName} is missing in the test kit.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string? TypeOf(JsonObject frame) => TextOf(frame, "type");

    private static string? TextOf(JsonObject frame, string field) => frame[field] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static string Shorten(string json) => json.Length <= 500 ? json : string.Concat(json.AsSpan(0, 500), "...");
}
