using System.Text;
using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Documents;
using OrleansSessions.TestKit.Schemas;
using Xunit;

namespace OrleansSessions.Tests.Protocol;

/// <summary>docs/protocol.md is normative, so its content must agree with the code.</summary>
public sealed partial class DocumentTests
{
    private const int MaxQuestionBytes = 32 * 1024;

    private static readonly string[] ServerTypes =
        ["hello", "accepted", "delta", "done", "snapshot", "resumed", "cancelling", "error", "expiring", "reconnect", "authenticated", "ping"];

    public static TheoryData<string> ClientExamples => [.. ProtocolDocument.Examples("client")];

    public static TheoryData<string> BasicClientExamples => [.. ProtocolDocument.Examples("basic-client")];

    public static TheoryData<string> RefusedExamples => [.. ProtocolDocument.Examples("refused-client")];

    public static TheoryData<string> ServerExamples => [.. ProtocolDocument.Examples("server")];

    public static TheoryData<string> BasicServerExamples => [.. ProtocolDocument.Examples("basic-server")];

    public static TheoryData<string> HttpExamples =>
        [
            .. ProtocolDocument.Examples("http-request"), .. ProtocolDocument.Examples("http-lines"), .. ProtocolDocument.Examples("http-response"),
            .. ProtocolDocument.Examples("http-error"),
        ];

    [Fact]
    public void EveryJsonBlock_IsTagged_WithADirectionThatATestReads() =>
        Assert.Equal(
            ["basic-client", "basic-server", "client", "http-error", "http-lines", "http-request", "http-response", "refused-client", "server"],
            ProtocolDocument.Tags().Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(ClientExamples))]
    public void ClientExample_IsUnderstood_AndFitsTheSchema(string json)
    {
        Assert.NotNull(Parse(json, WireProfile.V1).Message);
        FrameSchema.AssertClientFrame(json);
        Assert.True(FrameSchema.Fits("v1Client", json));
    }

    [Theory, MemberData(nameof(BasicClientExamples))]
    public void BasicClientExample_IsUnderstood_AndFitsTheSchema(string json)
    {
        Assert.NotNull(Parse(json, WireProfile.Basic).Message);
        FrameSchema.AssertClientFrame(WireProfile.Basic, json);
        Assert.True(FrameSchema.Fits("basicClient", json));
    }

    [Theory, MemberData(nameof(RefusedExamples))]
    public void RefusedExample_IsRefused_AsTheTableOfBadInputSays(string json)
    {
        var refusal = Parse(json, WireProfile.V1).Refusal;

        Assert.NotNull(refusal);
        Assert.Equal(json.Contains("shout", StringComparison.Ordinal) ? WireErrors.UnknownType : WireErrors.BadRequest, refusal.Error);
        Assert.NotNull(refusal.Param);
    }

    [Theory, MemberData(nameof(RefusedExamples))]
    public void RefusedExample_BreaksTheSchemaToo_WhereASchemaCanTell(string json)
    {
        if (!json.Contains("\"b\"", StringComparison.Ordinal))
        {
            Assert.False(FrameSchema.Fits("v1Client", json));
        }
    }

    [Theory, MemberData(nameof(ServerExamples))]
    public void ServerExample_HasAKnownType_AndFitsTheSchema(string json)
    {
        Assert.Contains(TypeOf(json), ServerTypes);
        FrameSchema.AssertServerFrame(WireProfile.V1, json);
        Assert.True(FrameSchema.Fits("v1Server", json));
    }

    [Theory, MemberData(nameof(BasicServerExamples))]
    public void BasicServerExample_FitsTheSchema(string json)
    {
        FrameSchema.AssertServerFrame(WireProfile.Basic, json);
        Assert.True(FrameSchema.Fits("basicServer", json));
    }

    [Fact]
    public void EveryServerType_HasAnExample() =>
        Assert.Equal(ServerTypes.Order(), ProtocolDocument.Examples("server").Select(TypeOf).Distinct().Order());

    [Theory, MemberData(nameof(HttpExamples))]
    public void HttpExample_IsAJsonObject(string json)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
    }

    [Fact]
    public void HttpRequestExamples_AreUnderstood()
    {
        foreach (var json in ProtocolDocument.Examples("http-request"))
        {
            var utf8 = Encoding.UTF8.GetBytes(json);
            var isUnderstood = json.Contains("\"response\"", StringComparison.Ordinal) ? ExternalAnswerParser.ParseWhole(utf8).Message is not null
                : json.Contains("\"attempt\"", StringComparison.Ordinal) ? ExternalAnswerParser.ParsePiece(utf8).Message is not null
                : Parse(json, WireProfile.V1).Message is not null;
            Assert.True(isUnderstood, json);
        }
    }

    [Fact]
    public void HttpLineExamples_AreUnderstood_OneAfterTheOther_AndEndInOrder()
    {
        AnswerPieceMessage? piece = null;
        foreach (var json in ProtocolDocument.Examples("http-lines"))
        {
            Assert.NotEqual(true, piece?.IsFinal);
            var next = piece is null ? 0 : piece.Offset + Encoding.UTF8.GetByteCount(piece.Text);
            (piece, var refusal) = ExternalAnswerParser.ParseLine(Encoding.UTF8.GetBytes(json), piece?.Attempt, next);
            Assert.Null(refusal);
        }

        Assert.Equal((1, 14L, true), (piece!.Attempt, piece.Offset, piece.IsFinal));
    }

    [Fact]
    public void HttpErrorExamples_AgreeWithTheErrorTable()
    {
        foreach (var json in ProtocolDocument.Examples("http-error"))
        {
            using var document = JsonDocument.Parse(json);
            var problem = document.RootElement;
            var row = WireErrors.Find(problem.GetProperty("code").GetString()!);
            Assert.NotNull(row);
            Assert.Equal(row.HttpStatus, problem.GetProperty("status").GetInt32());
            Assert.Equal(row.Title, problem.GetProperty("title").GetString());
            Assert.Equal(row.IsRetryable, problem.GetProperty("retryable").GetBoolean());
        }
    }

    private static ParsedMessage Parse(string json, WireProfile profile) => ClientMessageParser.Parse(Encoding.UTF8.GetBytes(json), profile, MaxQuestionBytes);

    private static string TypeOf(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("type").GetString()!;
    }
}
