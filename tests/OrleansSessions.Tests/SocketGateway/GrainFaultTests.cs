using System.Net;
using System.Net.Http.Json;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>
/// Whatever a grain call throws, the client gets one error of the table, and the log gets one line that does not contain the exception's message.
/// </summary>
public sealed class GrainFaultTests(GatewayFixture gateway) : IAsyncLifetime
{
    private const string Secret = "sk-secret";

    private readonly string _session = GatewayFixture.NewSession();
    private readonly RecordedLog _log = new();
    private Exception? _fault;
    private Func<string, bool> _fails = _ => false;
    private SocketHost _host = null!;

    public static TheoryData<string> Kinds => [.. Faults.Keys];

    private static Dictionary<string, Exception> Faults { get; } = new()
    {
        ["cancelled"] = new OperationCanceledException(Secret),
        ["task cancelled"] = new TaskCanceledException(Secret),
        ["timeout"] = new TimeoutException(Secret),
        ["directory"] = new OrleansException(Secret, new IOException(Secret)),
        ["silo"] = new SiloUnavailableException(Secret),
        ["state"] = new InconsistentStateException(Secret),
        ["bug"] = new InvalidOperationException(Secret),
    };

    public async ValueTask InitializeAsync()
    {
        await gateway.StartAsync();
        var client = gateway.Cluster.Orleans.Client;
        var session = Stub.Of<ISessionGrain>((method, args) => _fails(method.Name)
            ? Failed(method.ReturnType, _fault!)
            : method.Invoke(client.GetGrain<ISessionGrain>("/" + _session), args));
        var factory = Stub.Of<IGrainFactory>((method, args) =>
            method.IsGenericMethod && method.GetGenericArguments()[0] == typeof(ISessionGrain) ? session : method.Invoke(client, args));
        _host = await SocketHost.StartAsync(client, isReady: false, configureHost: builder =>
        {
            builder.Services.AddSingleton(factory);
            builder.Logging.AddProvider(_log).SetMinimumLevel(LogLevel.Trace);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _log.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task OverHttp_ASilentStreamedAnswer_EndsWhenItsQuestionCannotBeWatched(string kind)
    {
        await gateway.Cluster.Session(_session).AskAsync(new() { QuestionId = "q-1", Question = _session });
        (_fault, _fails) = (Faults[kind], name => name == nameof(ISessionGrain.WaitForEndAsync));

        await using var upload = await AnswerUpload.StartAsync(_host.Address, _session, "q-1");

        var reply = await upload.ReplyAsync();
        Assert.Equal((HttpStatusCode.InternalServerError, "internal"), (reply.Status, reply.Code));
        Assert.DoesNotContain(Secret, reply.Body.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task OverHttp_EveryEndpoint_AnswersAProblem_AndLogsTheKindOfFault(string kind)
    {
        (_fault, _fails) = (Faults[kind], _ => true);
        var requests = new[]
        {
            ("POST", "/questions", """{"question":"why","id":"q-1"}"""), ("GET", "/questions", null), ("GET", "/questions/q-1", null), ("GET", "", null),
            ("POST", "/questions/q-1/cancel", null), ("POST", "/questions/q-1/answer", """{"attempt":1,"offset":0,"text":"x"}"""),
            ("POST", "/response", """{"response":"x"}"""), ("DELETE", "", null),
        };
        foreach (var (method, path, body) in requests)
        {
            using var request = new HttpRequestMessage(new(method), $"/v1/sessions/{_session}{path}");
            request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            using var reply = await _host.Http.SendAsync(request, TestContext.Current.CancellationToken);
            var text = await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

            Assert.Equal((path, HttpStatusCode.InternalServerError), (path, reply.StatusCode));
            Assert.Equal("application/problem+json", reply.Content.Headers.ContentType?.MediaType);
            var problem = JsonDocument.Parse(text).RootElement;
            Assert.Equal(("internal", true), (problem.GetProperty("code").GetString(), problem.GetProperty("retryable").GetBoolean()));
            Assert.NotNull(reply.Headers.RetryAfter);
            Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        }

        AssertLog(requests.Length);
    }

    [Fact]
    public async Task AnAttach_WhileTheSiloOfItsSessionIsLost_WaitsForAnother()
    {
        var failures = 2;
        (_fault, _fails) = (Faults["silo"], name => name == nameof(ISessionGrain.AttachAsync) && Interlocked.Decrement(ref failures) >= 0);

        await using var socket = await _host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await using var stream = await EventStreamClient.OpenAsync(_host.Http, $"/v1/sessions/{_session}/events");
        await stream.NextAsync("hello");

        Assert.True(failures < 0, $"The attach was not repeated: {failures} failures are left.");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task OnASocket_AFailedAttach_GetsAnErrorAndClosesWith1011(string kind)
    {
        (_fault, _fails) = (Faults[kind], method => method == nameof(ISessionGrain.AttachAsync));
        await using var socket = await _host.ConnectV1Async(_session);

        var error = await socket.NextAsync("error");

        Assert.Equal("internal", error.GetProperty("code").GetString());
        Assert.DoesNotContain(Secret, error.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(1011, await socket.ClosedAsync());
        AssertLog(1);
    }

    [Theory]
    [InlineData(nameof(ISessionGrain.AskAsync), """{"type":"question","id":"q-1","question":"why"}""")]
    [InlineData(nameof(ISessionGrain.CancelAsync), """{"type":"cancel","question_id":"q-1"}""")]
    public async Task OnASocket_AFailedRequest_NamesItsQuestion(string call, string frame)
    {
        (_fault, _fails) = (Faults["directory"], method => method == call);
        await using var socket = await _host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await socket.SendAsync(frame);

        var error = (await socket.UntilAsync("error"))[^1];

        Assert.Equal(("internal", "q-1", true), (
            error.GetProperty("code").GetString(), error.GetProperty("question_id").GetString(), error.GetProperty("retryable").GetBoolean()));
        Assert.DoesNotContain(Secret, error.GetRawText(), StringComparison.Ordinal);
        AssertLog(1);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task PreferWait_WhoseWaitFails_IsAcceptedWithItsId(string kind)
    {
        (_fault, _fails) = (Faults[kind], method => method == nameof(ISessionGrain.WaitForEndAsync));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/{_session}/questions")
        {
            Content = JsonContent.Create(new { question = _session, id = "q-1" }),
        };
        request.Headers.Add("Prefer", "wait=20");
        using var reply = await _host.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
        Assert.EndsWith("/questions/q-1", reply.Headers.Location?.ToString(), StringComparison.Ordinal);
        Assert.Equal("q-1", (await reply.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("question_id").GetString());
        AssertLog(1);
    }

    private void AssertLog(int lines)
    {
        var told = _log.From("GrainFaults").Where(line => line.Level == LogLevel.Warning).ToList();
        Assert.Equal(lines, told.Count);
        Assert.All(told, line => Assert.Contains(_fault!.GetType().Name, line.Message, StringComparison.Ordinal));
        Assert.All(_log.Lines.Where(line => line.Category.StartsWith("OrleansSessions", StringComparison.Ordinal)), line =>
            Assert.DoesNotContain(Secret, line.Message + line.Fault, StringComparison.Ordinal));
    }

    private static object Failed(Type task, Exception fault) => task == typeof(Task)
        ? Task.FromException(fault)
        : typeof(Task).GetMethods(BindingFlags.Public | BindingFlags.Static).Single(method => method is { Name: "FromException", IsGenericMethod: true })
            .MakeGenericMethod(task.GetGenericArguments()[0]).Invoke(null, [fault])!;
}
