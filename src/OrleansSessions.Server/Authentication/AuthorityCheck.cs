using System.Net;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Protocols;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.Server.Authentication;

/// <summary>
/// Makes sure that the keys of the authority are known before a token is checked. Without them, every token would count as not valid, and clients would
/// stop instead of coming back.
/// </summary>
internal sealed partial class AuthorityCheck(TimeProvider clock, ILogger<AuthorityCheck> logger)
{
    // Each request that brings a token asks again, and the log must not grow as fast.
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long? _loggedAt;

    public async Task CheckAsync(MessageReceivedContext context)
    {
        if (context.Options.ConfigurationManager is not { } authority || context.Request.Headers.Authorization.Count == 0)
        {
            return;
        }

        try
        {
            // Once read, the keys are kept, and an authority that is lost later changes nothing.
            await authority.GetConfigurationAsync(context.HttpContext.RequestAborted);
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            Log(context.Options.Authority, Describe(fault));
            context.Fail(new TokenCheckUnavailableException(fault));
        }
    }

    /// <summary>The kind of the fault. Messages are not logged, because they can contain what the authority sent.</summary>
    private static string Describe(Exception fault)
    {
        for (var cause = fault; cause is not null; cause = cause.InnerException)
        {
            if (cause.Data[HttpDocumentRetriever.StatusCode] is HttpStatusCode status)
            {
                return $"status {(int)status}";
            }

            if (cause is HttpRequestException http)
            {
                return http.HttpRequestError.ToString();
            }
        }

        return fault.GetBaseException().GetType().Name;
    }

    private void Log(string? authority, string cause)
    {
        lock (_gate)
        {
            if (_loggedAt is { } last && clock.GetElapsedTime(last) < LogInterval)
            {
                return;
            }

            _loggedAt = clock.GetTimestamp();
        }

        LogMessages.Unavailable(logger, authority, cause);
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "The keys of Auth:Jwt:Authority {Authority} cannot be read ({Cause}). Until then, no token can be checked.")]
        public static partial void Unavailable(ILogger logger, string? authority, string cause);
    }
}
