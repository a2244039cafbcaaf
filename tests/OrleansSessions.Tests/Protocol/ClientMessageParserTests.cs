using System.Text;
using OrleansSessions.Protocol;
using Xunit;

namespace OrleansSessions.Tests.Protocol;

public sealed class ClientMessageParserTests
{
    [Theory]
    [InlineData("", "bad_request", null)]
    [InlineData("nonsense", "bad_request", null)]
    [InlineData("[]", "bad_request", null)]
    [InlineData("\"question\"", "bad_request", null)]
    [InlineData("null", "bad_request", null)]
    [InlineData("{}", "bad_request", "type")]
    [InlineData("{\"question\":\"a\"} x", "bad_request", null)]
    [InlineData("{\"question\":\"a\",}", "bad_request", null)]
    [InlineData("{\"question\":\"a\",\"question\":\"b\"}", "bad_request", "question")]
    [InlineData("{\"question\":\"a\",\"\\u0071uestion\":\"b\"}", "bad_request", "question")]
    [InlineData("{\"question\":\"a\",\"x\":1,\"x\":2}", "bad_request", "x")]
    [InlineData("{\"question\":\"a\",\"x\":{\"y\":1,\"y\":2}}", "bad_request", "y")]
    [InlineData("{\"question\":\"a\",\"x\":[{\"y\":1,\"y\":2}]}", "bad_request", "y")]
    [InlineData("{\"question\":7}", "bad_request", "question")]
    [InlineData("{\"type\":7,\"question\":\"a\"}", "bad_request", "type")]
    [InlineData("{\"type\":\"question\"}", "bad_request", "question")]
    [InlineData("{\"question\":\"\"}", "bad_request", "question")]
    [InlineData("{\"question\":\"\\ud800\"}", "bad_request", "question")]
    [InlineData("{\"question\":\"a\",\"x\":\"\\udc00\"}", "bad_request", "x")]
    [InlineData("{\"\\ud800\":1}", "bad_request", "a field's name")]
    [InlineData("{\"question\":\"a\",\"id\":\"\"}", "bad_request", "id")]
    [InlineData("{\"question\":\"a\",\"id\":\"a b\"}", "bad_request", "id")]
    [InlineData("{\"question\":\"a\",\"id\":\"..\"}", "bad_request", "id")]
    [InlineData("{\"question\":\"a\",\"id\":7}", "bad_request", "id")]
    [InlineData("{\"question\":\"a\",\"if_busy\":\"wait\"}", "bad_request", "if_busy")]
    [InlineData("{\"question\":\"a\",\"if_busy\":true}", "bad_request", "if_busy")]
    [InlineData("{\"question\":\"a\",\"metadata\":[]}", "bad_request", "metadata")]
    [InlineData("{\"question\":\"a\",\"options\":[]}", "bad_request", "options")]
    [InlineData("{\"question\":\"a\",\"options\":\"m\"}", "bad_request", "options")]
    [InlineData("{\"question\":\"a\",\"options\":{},\"options\":{}}", "bad_request", "options")]
    [InlineData("{\"question\":\"a\",\"options\":{\"m\":1,\"\\u006d\":2}}", "bad_request", "m")]
    [InlineData("{\"question\":\"a\",\"options\":{\"m\":[{\"n\":1,\"n\":2}]}}", "bad_request", "n")]
    [InlineData("{\"question\":\"a\",\"options\":{\"m\":\"\\ud800\"}}", "bad_request", "options")]
    [InlineData("{\"question\":\"a\",\"options\":{\"\\udc00\":1}}", "bad_request", "a field's name")]
    [InlineData("{\"type\":\"dance\"}", "unknown_type", "type")]
    [InlineData("{\"type\":\"auth\",\"token\":\"\"}", "bad_request", "token")]
    [InlineData("{\"type\":\"auth\",\"token\":7}", "bad_request", "token")]
    [InlineData("{\"type\":\"auth\"}", "bad_request", "token")]
    [InlineData("{\"type\":\"cancel\",\"question_id\":\"a b\"}", "bad_request", "question_id")]
    [InlineData("{\"type\":\"resume\",\"after_seq\":1}", "bad_request", "epoch")]
    [InlineData("{\"type\":\"resume\",\"epoch\":\"e1\"}", "bad_request", "after_seq")]
    [InlineData("{\"type\":\"resume\",\"epoch\":\"e1\",\"after_seq\":-1}", "bad_request", "after_seq")]
    [InlineData("{\"type\":\"resume\",\"epoch\":\"e1\",\"after_seq\":1.5}", "bad_request", "after_seq")]
    [InlineData("{\"type\":\"resume\",\"epoch\":\"e1\",\"after_seq\":9007199254740992}", "bad_request", "after_seq")]
    [InlineData("{\"question\":\"0123456789abcdefg\"}", "question_too_large", "question")]
    public void V1_BadInput_IsRefusedWithItsParam(string json, string code, string? param)
    {
        var refusal = Parse(json).Refusal;
        Assert.Equal((code, param), (refusal?.Error.Code, refusal?.Param));
    }

    [Theory]
    [InlineData("{\"id\":\"q-1\",\"question\":\"\"}")]
    [InlineData("{\"id\":\"q-1\",\"question\":7}")]
    [InlineData("{\"id\":\"q-1\",\"question\":\"a\",\"question\":\"b\"}")]
    [InlineData("{\"id\":\"q-1\",\"type\":\"dance\"}")]
    [InlineData("{\"id\":\"q-1\",\"question\":\"a\",\"if_busy\":\"x\"}")]
    [InlineData("{\"id\":\"q-1\",\"question\":\"0123456789abcdefg\"}")]
    public void Refusals_EchoTheQuestionsId(string json) => Assert.Equal("q-1", Parse(json).Refusal?.QuestionId);

    [Theory]
    [InlineData("{\"question\":\"a\"}", null, "a", IfBusy.Reject)]
    [InlineData("{\"type\":\"question\",\"id\":\"q-1\",\"question\":\"a\",\"if_busy\":\"queue\"}", "q-1", "a", IfBusy.Queue)]
    [InlineData("{\"question\":\"\\ud83d\\ude00\",\"if_busy\":\"replace\",\"unknown\":[1,{\"a\":null}]}", null, "😀", IfBusy.Replace)]
    [InlineData("{\"question\":\"a\",\"id\":null,\"metadata\":null,\"content\":7}", null, "a", IfBusy.Reject)]
    public void V1_Questions_AreUnderstood(string json, string? id, string text, IfBusy ifBusy)
    {
        var question = Assert.IsType<QuestionMessage>(Parse(json).Message);
        Assert.Equal((id, text, ifBusy), (question.Id, question.Question, question.IfBusy));
    }

    [Fact]
    public void Metadata_IsPassedOnAsItWasWritten()
    {
        var question = Assert.IsType<QuestionMessage>(Parse("""{"metadata":{"a": [1, 2]},"question":"a"}""").Message);
        Assert.Equal("""{"a": [1, 2]}""", question.MetadataJson);
    }

    [Theory]
    [InlineData(WireProfile.V1, """{"model": "m" }""", """{"model": "m" }""")]
    [InlineData(WireProfile.Basic, """{"a":{}}""", """{"a":{}}""")]
    [InlineData(WireProfile.V1, "{}", null)]
    [InlineData(WireProfile.V1, "{ \r\n\t}", null)]
    [InlineData(WireProfile.V1, "null", null)]
    [InlineData(WireProfile.Basic, "{ }", null)]
    [InlineData(WireProfile.Basic, "[1]", null)]
    [InlineData(WireProfile.Basic, "7", null)]
    public void Options_ArePassedOnAsTheyWereWritten_AndNoneAreNull(WireProfile profile, string options, string? passedOn)
    {
        var question = Assert.IsType<QuestionMessage>(Parse($$"""{"options":{{options}},"question":"a"}""", profile).Message);
        Assert.Equal((passedOn, null), (question.OptionsJson, question.MetadataJson));
    }

    [Theory]
    [InlineData(WireProfile.V1, 31, true)]
    [InlineData(WireProfile.V1, 32, false)]
    [InlineData(WireProfile.Basic, 32, false)]
    [InlineData(WireProfile.Basic, 30_000, false)]
    public void Options_ThatAreNestedTooDeep_AreRefused(WireProfile profile, int depth, bool isUnderstood)
    {
        var options = string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
        var parsed = Parse($$"""{"options":{{options}},"question":"a"}""", profile);
        Assert.Equal((isUnderstood, !isUnderstood), (parsed.Message is not null, parsed.Refusal?.Error == WireErrors.BadRequest));
    }

    [Theory]
    [InlineData("{\"question\":\"a\",\"type\":7}")]
    [InlineData("{\"question\":\"a\",\"type\":\"anything\"}")]
    [InlineData("{\"content\":\"a\",\"type\":\"message\"}")]
    [InlineData("{\"content\":\"a\",\"question\":7}")]
    [InlineData("{\"question\":\"a\",\"content\":\"b\"}")]
    [InlineData("{\"question\":\"a\",\"epoch\":5,\"after_seq\":\"x\",\"metadata\":[],\"options\":[],\"question_id\":7}")]
    public void Basic_AnyObjectWithAQuestionOrContent_IsAnAsk(string json) =>
        Assert.Equal("a", Assert.IsType<QuestionMessage>(Parse(json, WireProfile.Basic).Message).Question);

    [Theory]
    [InlineData("{}", "bad_request")]
    [InlineData("{\"type\":\"ping\"}", "bad_request")]
    [InlineData("{\"question\":7}", "bad_request")]
    [InlineData("{\"question\":\"\"}", "bad_request")]
    [InlineData("{\"question\":\"a\",\"id\":7}", "bad_request")]
    [InlineData("{\"content\":\"0123456789abcdefg\"}", "question_too_large")]
    public void Basic_BadInput_IsRefused(string json, string code) => Assert.Equal(code, Parse(json, WireProfile.Basic).Refusal?.Error.Code);

    [Fact]
    public void RefusalOfAMalformedMessage_DoesNotRepeatALongPartOfIt()
    {
        var utf8 = Encoding.UTF8.GetBytes($"{{\"question\":tru{new string('z', 60_000)}}}");

        var refusal = ClientMessageParser.Parse(utf8, WireProfile.V1, 100).Refusal!;

        Assert.Equal(WireErrors.BadRequest, refusal.Error);
        Assert.InRange(refusal.Message.Length, 1, 300);
        Assert.Contains("BytePositionInLine: 15", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherMessages_AreUnderstood()
    {
        Assert.Equal(new CancelMessage("q-1"), Parse("""{"type":"cancel","question_id":"q-1"}""").Message);
        Assert.Equal(new CancelMessage(null), Parse("""{"type":"cancel"}""", WireProfile.Basic).Message);
        Assert.Equal(new ResumeMessage("e19", 400), Parse("""{"type":"resume","epoch":"e19","after_seq":400}""").Message);
        Assert.IsType<PingMessage>(Parse("""{"type":"ping"}""").Message);
        Assert.IsType<PongMessage>(Parse("""{"type":"pong","seq":421}""").Message);
    }

    [Theory]
    [InlineData(0x19, "e19")]
    [InlineData(0, "e0")]
    [InlineData(long.MaxValue, "e7fffffffffffffff")]
    public void Epochs_ComeBackFromTheirText(long epoch, string text)
    {
        Assert.Equal(text, Epochs.ToWire(epoch));
        Assert.Equal(epoch, Epochs.FromWire(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("e")]
    [InlineData("19")]
    [InlineData("E19")]
    [InlineData("eA")]
    [InlineData("e 1")]
    [InlineData("e00000000000000001")]
    [InlineData("e07")]
    public void TextThatIsNotAnEpoch_IsUnknown(string text) => Assert.Equal(Epochs.Unknown, Epochs.FromWire(text));

    private static ParsedMessage Parse(string json, WireProfile profile = WireProfile.V1) =>
        ClientMessageParser.Parse(Encoding.UTF8.GetBytes(json), profile, maxQuestionBytes: 16);
}
