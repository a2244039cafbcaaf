using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>An answer from outside in one request, one piece a line.</summary>
public sealed class StreamedAnswerTests(ExternalGatewayFixture gateway) : IClassFixture<ExternalGatewayFixture>
{
    private readonly string _session = GatewayFixture.NewSession();

    private ISessionGrain Session => gateway.Cluster.Session(_session);

    [Fact]
    public async Task Lines_AreAppendedAsTheyCome_AndTheFinalOneIsAnswered()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        await upload.WriteLineAsync("""{"attempt":1,"text":"Hello, "}""");
        await UntilTextAsync("Hello, ");
        Assert.False(upload.IsReplied);

        await upload.WriteLineAsync("""{"text":"all of you.","final":true}""");

        var reply = await upload.ReplyAsync();
        Assert.Equal((HttpStatusCode.OK, 18L), (reply.Status, reply.Offset));
        var question = await QuestionAsync();
        Assert.Equal(("Hello, all of you.", QuestionStatus.Completed, 2), (question.Text, question.Status, question.Deltas));
    }

    [Fact]
    public async Task LinesInOnePacket_WithBlankOnesAndCrLf_AreTakenInOrder_AndTheLastNeedsNoEnd()
    {
        await AskAsync();

        var reply = await SendAsync("\r", """{"attempt":1,"offset":0,"text":"ä"}""", "", "  ", "{\"text\":\"b\"}\r", """{"attempt":1,"offset":3,"text":"c","final":true}""");

        Assert.Equal((HttpStatusCode.OK, 4L), (reply.Status, reply.Offset));
        Assert.Equal("äbc", (await QuestionAsync()).Text);
    }

    [Fact]
    public async Task Utf8_ThatIsSplitAcrossPackets_IsJoined()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        foreach (var part in Encoding.UTF8.GetBytes("""{"attempt":1,"text":"häl€😀"}""" + "\n"))
        {
            await upload.WriteAsync([part]);
        }

        await UntilTextAsync("häl€😀");
        await upload.CompleteAsync();
        Assert.Equal(11, (await upload.ReplyAsync()).Offset);
    }

    [Fact]
    public async Task AnEndWithoutFinal_LeavesTheQuestionOpen_AndTheNextRequestContinues()
    {
        await AskAsync();
        var first = await SendAsync("""{"attempt":1,"text":"Hello, "}""");
        Assert.Equal((HttpStatusCode.OK, 7L), (first.Status, first.Offset));
        Assert.Equal(QuestionStatus.Answering, (await QuestionAsync()).Status);

        var where = await SendAsync("");
        Assert.Equal((HttpStatusCode.OK, 7L), (where.Status, where.Offset));
        var second = await SendAsync("""{"attempt":1,"offset":7,"text":"all"}""", """{"final":true}""");

        Assert.Equal((HttpStatusCode.OK, 10L), (second.Status, second.Offset));
        Assert.Equal(("Hello, all", QuestionStatus.Completed), Result(await QuestionAsync()));
    }

    [Fact]
    public async Task AStreamThatIsRepeatedFromItsStart_IsTakenOnce()
    {
        await AskAsync();
        await SendAsync("""{"attempt":1,"text":"Hel"}""", """{"text":"lo"}""");

        var reply = await SendAsync("""{"attempt":1,"text":"Hel"}""", """{"text":"lo"}""", """{"text":"!","final":true}""");

        Assert.Equal((HttpStatusCode.OK, 6L), (reply.Status, reply.Offset));
        Assert.Equal("Hello!", (await QuestionAsync()).Text);
    }

    [Fact]
    public async Task AClientThatLeaves_LosesNothing_AndContinuesAtItsOffset()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        await upload.WriteLineAsync("""{"attempt":1,"text":"half"}""");
        await upload.WriteAsync("""{"text":"never whole""");
        await UntilTextAsync("half");

        upload.Leave();

        Assert.Equal(QuestionStatus.Answering, (await QuestionAsync()).Status);
        var reply = await SendAsync("""{"attempt":1,"offset":4,"text":" and half","final":true}""");
        Assert.Equal(13, reply.Offset);
        Assert.Equal("half and half", (await QuestionAsync()).Text);
    }

    [Theory]
    [InlineData("""{"text":"x"}""", 400, "bad_request", "attempt")]
    [InlineData("""{"attempt":1,"text":7}""", 400, "bad_request", "text")]
    [InlineData("""{"attempt":1}""", 400, "bad_request", "text")]
    [InlineData("""{"attempt":1,"text":"x","text":"y"}""", 400, "bad_request", "text")]
    [InlineData("""{"attempt":1,"error":{"code":"no spaces"}}""", 400, "bad_request", "error.code")]
    [InlineData("""{"attempt":1,"offset":-1,"text":"x"}""", 400, "bad_request", "offset")]
    [InlineData("not json", 400, "bad_request", null)]
    [InlineData("""{"attempt":1,"text":"x"}{"text":"y"}""", 400, "bad_request", null)]
    public async Task AMalformedLine_IsRefused_ByItsNumber(string line, int status, string code, string? param)
    {
        await AskAsync();

        var reply = await SendAsync("", line, """{"text":"not read"}""");

        Assert.Equal(((HttpStatusCode)status, code, param), (reply.Status, reply.Code, reply.Body.Text("param")));
        Assert.StartsWith("Line 2: ", reply.Body.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(("q-1", 0L), (reply.Body.Text("question_id"), reply.ExpectedOffset));
        Assert.Equal("", (await QuestionAsync()).Text);
    }

    [Fact]
    public async Task AMalformedLine_KeepsTheLinesBeforeIt_AndIsRefusedWhileTheClientIsSending()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        await upload.WriteLineAsync("""{"attempt":1,"text":"kept"}""");
        await upload.WriteLineAsync("""{"text":["broken"]}""");

        var reply = await upload.ReplyAsync();

        Assert.Equal(("bad_request", 4L), (reply.Code, reply.ExpectedOffset));
        Assert.StartsWith("Line 2: ", reply.Body.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(("kept", QuestionStatus.Answering), Result(await QuestionAsync()));
    }

    [Fact]
    public async Task BinaryGarbage_IsRefused()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        await upload.WriteAsync([0x7b, 0xff, 0xfe, 0x00, 0x0a]);

        var reply = await upload.ReplyAsync();

        Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), (reply.Status, reply.Code));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("")]
    public async Task ALineOverTheLimit_IsRefused_BeforeItsEnd(string end)
    {
        await AskAsync();
        await using var upload = await StartAsync();
        await upload.WriteLineAsync("""{"attempt":1,"text":"kept"}""");
        await upload.WriteAsync($$"""{"text":"{{new string('x', ExternalGatewayFixture.MaxLineBytes)}}"}""" + end);

        var reply = await upload.ReplyAsync();

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "message_too_large", 4L), (reply.Status, reply.Code, reply.ExpectedOffset));
        Assert.StartsWith("Line 2: ", reply.Body.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWrongAttempt_AndAWrongOffset_AreRefusedAtOnce()
    {
        await AskAsync();
        await using var stale = await StartAsync();
        await stale.WriteLineAsync("""{"attempt":7,"text":"x"}""");
        Assert.Equal((HttpStatusCode.Conflict, "stale_attempt"), await OutcomeAsync(stale));

        await using var ahead = await StartAsync();
        await ahead.WriteLineAsync("""{"attempt":1,"offset":3,"text":"x"}""");
        Assert.Equal((HttpStatusCode.Conflict, "offset_mismatch"), await OutcomeAsync(ahead));
        Assert.Equal(0, (await ahead.ReplyAsync()).ExpectedOffset);
    }

    [Fact]
    public async Task OfTwoWriters_TheOneThatIsBehindIsRefused_AndTheOtherContinues()
    {
        await AskAsync();
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        await first.WriteLineAsync("""{"attempt":1,"text":"from one"}""");
        await UntilTextAsync("from one");
        await second.WriteLineAsync("""{"attempt":1,"text":"from another"}""");

        Assert.Equal((HttpStatusCode.Conflict, "offset_mismatch"), await OutcomeAsync(second));
        Assert.Equal(8, (await second.ReplyAsync()).ExpectedOffset);
        await first.WriteLineAsync("""{"text":" writer","final":true}""");
        Assert.Equal(15, (await first.ReplyAsync()).Offset);
    }

    [Fact]
    public async Task WhatFollowsTheFinalLine_IsIgnored()
    {
        await AskAsync();
        var reply = await SendAsync("""{"attempt":1,"text":"all","final":true}""", """{"text":"more"}""", "nonsense");

        Assert.Equal((HttpStatusCode.OK, 3L), (reply.Status, reply.Offset));
        Assert.Equal(("all", QuestionStatus.Completed), Result(await QuestionAsync()));
    }

    [Fact]
    public async Task AnErrorLine_EndsTheQuestionAsFailed()
    {
        await AskAsync();
        var reply = await SendAsync("""{"attempt":1,"text":"half"}""", """{"error":{"code":"overloaded","message":"try later"}}""");

        Assert.Equal((HttpStatusCode.OK, 4L), (reply.Status, reply.Offset));
        Assert.Equal("overloaded: try later", (await QuestionAsync()).End!.Message);
    }

    [Fact]
    public async Task AnAnswerOverItsLimit_EndsTheQuestion_AndTheStream()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        var line = $$"""{"attempt":1,"text":"{{new string('x', 900)}}"}""";
        await upload.WriteLineAsync(line);
        await upload.WriteLineAsync(line);
        await upload.WriteLineAsync(line);

        var reply = await upload.ReplyAsync();

        Assert.Equal(("already_done", "incomplete"), (reply.Code, reply.Body.Text("question_status")));
        Assert.Equal(ExternalGatewayFixture.MaxAnswerBytes, (await QuestionAsync()).Bytes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACancel_ReachesAClientThatIsSilent(bool hasBegun)
    {
        await AskAsync();
        await using var upload = await StartAsync();
        await upload.WriteLineAsync(hasBegun ? """{"attempt":1,"text":"half"}""" : "");
        await UntilTextAsync(hasBegun ? "half" : "");

        await Session.CancelAsync(new() { QuestionId = "q-1" });

        Assert.Equal((HttpStatusCode.Conflict, "already_done"), await OutcomeAsync(upload));
        Assert.Equal("cancelled", (await upload.ReplyAsync()).Body.Text("question_status"));
    }

    [Fact]
    public async Task TheQuestionsOwnTimer_EndsASilentStream()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        await upload.WriteLineAsync("""{"attempt":1,"text":"half"}""");
        await UntilTextAsync("half");

        gateway.Cluster.Clock.Advance(TimeSpan.FromMinutes(16));

        Assert.Equal("timeout", (await upload.ReplyAsync()).Body.Text("question_status"));
    }

    [Fact]
    public async Task ARemovedSession_EndsASilentStream()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        await upload.WriteLineAsync("""{"attempt":1,"text":"half"}""");
        await UntilTextAsync("half");

        await Session.RemoveAsync(new());

        Assert.Equal((HttpStatusCode.NotFound, "question_not_found"), await OutcomeAsync(upload));
    }

    [Fact]
    public async Task AQuestionThatHasEnded_TakesNoStream_NotEvenAnEmptyOne()
    {
        await AskAsync();
        await SendAsync("""{"attempt":1,"text":"all","final":true}""");
        await using var late = await StartAsync();

        Assert.Equal((HttpStatusCode.Conflict, "already_done"), await OutcomeAsync(late));
        Assert.Equal("completed", (await late.ReplyAsync()).Body.Text("question_status"));
    }

    [Fact]
    public async Task AnUnknownQuestion_AndOneThatWaits_TakeNone()
    {
        await using var unknown = await StartAsync();
        Assert.Equal((HttpStatusCode.NotFound, "question_not_found"), await OutcomeAsync(unknown));

        await AskAsync();
        await Session.AskAsync(new() { QuestionId = "q-2", Question = "b", IfBusy = IfBusy.Queue });
        var reply = await AnswerUpload.SendAsync(gateway.Address, _session, "q-2", """{"attempt":1,"text":"x"}""");
        Assert.Equal("no_open_question", reply.Code);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    public async Task AnotherContentType_IsRefused_AndBothAreNamed(string contentType)
    {
        await AskAsync();
        await using var upload = await AnswerUpload.StartAsync(gateway.Address, _session, "q-1", contentType);
        await upload.WriteLineAsync("""{"attempt":1,"text":"x"}""");

        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "unsupported_media_type"), await OutcomeAsync(upload));
        Assert.Contains("application/x-ndjson", (await upload.ReplyAsync()).Body.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AContentTypeWithParameters_IsAccepted()
    {
        await AskAsync();
        await using var upload = await AnswerUpload.StartAsync(gateway.Address, _session, "q-1", "Application/X-NDJSON; charset=utf-8");
        await upload.WriteLineAsync("""{"attempt":1,"text":"x","final":true}""");

        Assert.Equal(1, (await upload.ReplyAsync()).Offset);
    }

    [Fact]
    public async Task AStoppingProcess_SendsItsClientElsewhere_WithTheOffset()
    {
        await AskAsync();
        await using var host = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client);
        await using var upload = await AnswerUpload.StartAsync(host.Address, _session, "q-1");
        await upload.WriteLineAsync("""{"attempt":1,"text":"half"}""");
        await UntilTextAsync("half");

        var stopping = host.StopAsync();

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "draining"), await OutcomeAsync(upload));
        Assert.Equal(4, (await upload.ReplyAsync()).ExpectedOffset);
        await upload.CompleteAsync();
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(8, (await SendAsync("""{"attempt":1,"offset":4,"text":" way","final":true}""")).Offset);
    }

    [Fact]
    public async Task AStream_TakesAPlaceForAConnection_AndGivesItBack()
    {
        await AskAsync();
        await using var host = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, options => options.MaxConnections = 1);
        await using var upload = await AnswerUpload.StartAsync(host.Address, _session, "q-1");
        await upload.WriteLineAsync("""{"attempt":1,"text":"half"}""");
        await UntilTextAsync("half");
        var refused = await AnswerUpload.SendAsync(host.Address, _session, "q-1", "");
        Assert.Equal((HttpStatusCode.TooManyRequests, "connection_limit"), (refused.Status, refused.Code));

        await upload.CompleteAsync();
        await upload.ReplyAsync();

        Assert.Equal(4, (await AnswerUpload.SendAsync(host.Address, _session, "q-1", "")).Offset);
    }

    [Fact]
    public async Task ABody_CanBeLargerThanTheWebServersLimit()
    {
        await AskAsync();
        await using var upload = await StartAsync();
        var blank = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(new string(' ', ExternalGatewayFixture.MaxLineBytes - 1) + "\n", 1024)));
        for (var megabytes = 0; megabytes < 31; megabytes++)
        {
            await upload.WriteAsync(blank);
        }

        await upload.WriteLineAsync("""{"attempt":1,"text":"x","final":true}""");
        Assert.Equal(1, (await upload.ReplyAsync()).Offset);
    }

    [Fact]
    public async Task ABodyOfKnownLength_IsTakenToo()
    {
        await AskAsync();
        using var http = new HttpClient { BaseAddress = gateway.Address };
        using var body = new StringContent("""{"attempt":1,"text":"x"}""" + "\n" + """{"final":true}""", Encoding.UTF8, "application/x-ndjson");

        using var reply = await http.PostAsync(new Uri($"/v1/sessions/{_session}/questions/q-1/answer", UriKind.Relative), body);

        Assert.Equal("""{"offset":1}""", await reply.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task TheWebServersLimits_AreLifted_ForAStreamOnly()
    {
        var seen = new LimitsSeen();
        await using var host = await SocketHost.StartAsync(
            gateway.Cluster.Orleans.Client, configureHost: builder => builder.Services.AddSingleton<IStartupFilter>(seen));
        await AskAsync();
        await AnswerUpload.SendAsync(host.Address, _session, "q-1", """{"attempt":1,"text":"x"}""");
        using var piece = new StringContent("""{"attempt":1,"offset":1,"text":"y"}""", Encoding.UTF8, "application/json");
        using var reply = await host.Http.PostAsync(new Uri($"/v1/sessions/{_session}/questions/q-1/answer", UriKind.Relative), piece);

        await Eventually.TrueAsync(() => seen.Limits.Count == 2, "both requests have ended");
        Assert.Equal([(false, false), (true, true)], seen.Limits);
    }

    private static (string Text, QuestionStatus Status) Result(QuestionDescription question) => (question.Text, question.Status);

    private static async Task<(HttpStatusCode Status, string? Code)> OutcomeAsync(AnswerUpload upload)
    {
        var reply = await upload.ReplyAsync();
        return (reply.Status, reply.Code);
    }

    private Task<AskReply> AskAsync() => Session.AskAsync(new() { QuestionId = "q-1", Question = "a" });

    private Task<AnswerUpload> StartAsync() => AnswerUpload.StartAsync(gateway.Address, _session, "q-1");

    private Task<UploadReply> SendAsync(params string[] lines) => AnswerUpload.SendAsync(gateway.Address, _session, "q-1", lines);

    private async Task<QuestionDescription> QuestionAsync() => (await Session.GetQuestionAsync(new() { QuestionId = "q-1" }))!;

    private Task UntilTextAsync(string text) => Eventually.TrueAsync(async () => (await QuestionAsync()).Text == text, $"the answer is '{text}'");

    /// <summary>Records for each request whether the web server limited the size and the rate of its body in the end.</summary>
    private sealed class LimitsSeen : IStartupFilter
    {
        public ConcurrentQueue<(bool HasSize, bool HasRate)> Limits { get; } = [];

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (context, rest) =>
            {
                await rest(context);
                Limits.Enqueue((
                    context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize is not null,
                    context.Features.Get<IHttpMinRequestBodyDataRateFeature>()!.MinDataRate is not null));
            });
            next(app);
        };
    }
}
