using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Errors;

namespace OrleansSessions.SocketGateway;

/// <summary>Answers the faults of a host.</summary>
public static partial class FaultExtensions
{
    /// <summary>
    /// Answers a request that fails with an unhandled exception with the problem document <c>internal</c>, which says nothing of the exception. The log names
    /// the types of the exception and of its causes, without their messages. In the Development environment it does nothing, because ASP.NET Core's own page
    /// shows all of it there. Nothing is sent to a client that has left.
    /// </summary>
    public static IApplicationBuilder UseFaultAnswers(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetRequiredService<IWebHostEnvironment>().IsDevelopment())
        {
            return app;
        }

        var logger = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(FaultExtensions));
        return app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (Exception fault) when (context.RequestAborted.IsCancellationRequested)
            {
                // The web server would log the message of the fault, also if no one reads the answer.
                OnClientGone(context, fault, logger);
            }
            catch (Exception fault)
            {
                await AnswerAsync(context, fault, logger);
            }
        });
    }

    private static void OnClientGone(HttpContext context, Exception fault, ILogger logger)
    {
        if (fault is not (OperationCanceledException or IOException or BadHttpRequestException))
        {
            LogMessages.FailedForNoOne(logger, LoggedException.Of(fault));
        }

        if (!context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
    }

    private static async Task AnswerAsync(HttpContext context, Exception fault, ILogger logger)
    {
        var isRefusal = fault is BadHttpRequestException;
        if (!isRefusal)
        {
            LogMessages.Failed(logger, LoggedException.Of(fault));
        }

        if (context.Response.HasStarted)
        {
            // What was sent cannot be taken back, and it must not look complete.
            context.Abort();
            return;
        }

        await Problems.From(isRefusal ? Explain((BadHttpRequestException)fault) : new(WireErrors.Internal, "The server failed.")).ExecuteAsync(context);
    }

    private static ErrorMessage Explain(BadHttpRequestException fault) => fault.StatusCode == StatusCodes.Status413PayloadTooLarge
        ? new(WireErrors.MessageTooLarge, "The body is too large.")
        : new(WireErrors.BadRequest, "The request is not valid.");

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "A request failed.")]
        public static partial void Failed(ILogger logger, Exception fault);

        [LoggerMessage(2, LogLevel.Error, "A request failed after its client had left.")]
        public static partial void FailedForNoOne(ILogger logger, Exception fault);
    }
}
