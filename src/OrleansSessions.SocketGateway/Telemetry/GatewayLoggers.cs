using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;

namespace OrleansSessions.SocketGateway.Telemetry;

/// <summary>
/// The loggers of this library. They write exceptions without their messages, because
/// most of them come from grain calls and can contain text of a store or of a responder.
/// </summary>
internal static class GatewayLoggers
{
    private const BindingFlags Constructors = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Applies to every class that asks for a logger, including those that are added later.</summary>
    public static void AddGatewayLoggers(this IServiceCollection services)
    {
        foreach (var logger in typeof(GatewayLoggers).Assembly.GetTypes()
            .SelectMany(type => type.GetConstructors(Constructors)).SelectMany(constructor => constructor.GetParameters())
            .Select(parameter => parameter.ParameterType)
            .Where(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ILogger<>)).Distinct())
        {
            services.AddSingleton(logger, typeof(Logger<>).MakeGenericType(logger.GetGenericArguments()));
        }
    }

    private sealed class Logger<T>(ILoggerFactory factory) : ILogger<T>
    {
        private readonly ILogger _inner = factory.CreateLogger<T>();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => _inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => _inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _inner.Log(logLevel, eventId, state, exception is null ? null : LoggedException.Of(exception), formatter);
    }
}
