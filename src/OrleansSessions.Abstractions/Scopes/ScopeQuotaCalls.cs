using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;

namespace OrleansSessions.Scopes;

/// <summary>
/// Calls the quota grains. A quota that cannot be asked limits no one: a caller that gets no reply goes on as if it were allowed. Thread-safe.
/// </summary>
internal sealed partial class ScopeQuotaCalls(IGrainFactory grains, TimeProvider time, ILogger<ScopeQuotaCalls> logger)
{
    private readonly PatientCalls _calls = new(
        time, fault => LogMessages.Failed(logger, LoggedException.Of(fault)), () => LogMessages.Answered(logger));

    /// <summary>Returns the reply of a scope's quota grain, or null if there is none.</summary>
    public Task<T?> TryAsync<T>(string scope, Func<IScopeQuotaGrain, Task<T>> call)
        where T : class => _calls.TryAsync(scope, () => call(grains.GetGrain<IScopeQuotaGrain>(scope)));

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning,
            "The quotas of a scope could not be asked. Until they answer again, its limits of section Limits are not enforced here. Others can follow.")]
        public static partial void Failed(ILogger logger, LoggedException fault);

        [LoggerMessage(2, LogLevel.Information, "The quotas of scopes answer again.")]
        public static partial void Answered(ILogger logger);
    }
}
