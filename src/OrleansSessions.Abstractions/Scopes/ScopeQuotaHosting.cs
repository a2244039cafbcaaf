using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.Scopes;

/// <summary>Adds what silos and socket gateways use alike.</summary>
internal static class ScopeQuotaHosting
{
    /// <summary>Safe to call twice: a process that is both has one.</summary>
    public static void AddScopeQuotaCalls(this IServiceCollection services) => services.TryAddSingleton(provider => new ScopeQuotaCalls(
        provider.GetRequiredService<IGrainFactory>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ScopeQuotaCalls>>()));
}
