using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Logs;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>Faults of a host's own endpoints.</summary>
public sealed class FaultAnswersTests : IDisposable
{
    private readonly RecordedLog _log = new();

    public void Dispose() => _log.Dispose();

    [Theory]
    [InlineData(false, 500, 1)]
    [InlineData(true, 499, 1)]
    public async Task AFault_NeverReachesTheWebServer_AndIsLoggedWithoutItsMessage(bool isClientGone, int status, int lines)
    {
        var context = await RunAsync(new InvalidOperationException("secret"), isClientGone);

        Assert.Equal((status, lines), (context.Response.StatusCode, _log.Lines.Count));
        Assert.Equal(isClientGone, context.Response.Body.Length == 0);
        Assert.All(_log.Lines, line => Assert.DoesNotContain("secret", line.Message + line.Fault));
        Assert.Contains(nameof(InvalidOperationException), _log.Lines.Single().Message + _log.Lines.Single().Fault);
    }

    [Fact]
    public async Task ARequestThatItsClientCancelled_IsNoFault()
    {
        await RunAsync(new OperationCanceledException(), isClientGone: true);

        Assert.Empty(_log.Lines);
    }

    private async Task<HttpContext> RunAsync(Exception fault, bool isClientGone)
    {
        await using var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(_log))
            .AddSingleton(Stub.Of<IWebHostEnvironment>((method, _) => method.Name == "get_EnvironmentName" ? "Production" : ""))
            .BuildServiceProvider();
        var app = new ApplicationBuilder(services);
        app.UseFaultAnswers();
        app.Run(_ => throw fault);
        var context = new DefaultHttpContext
        {
            RequestServices = services,
            RequestAborted = new CancellationToken(isClientGone),
            Response = { Body = new MemoryStream() },
        };
        await app.Build()(context);
        return context;
    }
}
