using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.Fuzz.Hosts;

/// <summary>Counts the log lines of a run at Warning and above, and keeps the first of each kind.</summary>
public sealed class FuzzLog : ILoggerProvider
{
    private const int MaxKinds = 1_000;
    private const int ShownChars = 600;

    private readonly ConcurrentDictionary<string, (int Count, string First)> _kinds = new(StringComparer.Ordinal);
    private string? _firstError;

    /// <summary>The first line at Error or above, or with an exception; null if there was none.</summary>
    public string? FirstError => _firstError;

    /// <summary>The number of lines at Warning and above.</summary>
    public int Warnings => _kinds.Values.Sum(kind => kind.Count);

    /// <summary>Each kind of line with its number and its first text, the most frequent ones first.</summary>
    public IEnumerable<string> Lines =>
        _kinds.Values.OrderByDescending(kind => kind.Count).Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Count,7} x {kind.First}"));

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private void Add(string category, LogLevel level, EventId id, string message, Exception? exception)
    {
        if (level >= LogLevel.Warning && _kinds.Count < MaxKinds)
        {
            _kinds.AddOrUpdate($"{category} {id.Id}", (1, $"{level} {category}[{id.Id}] {Shorten(message)}"), static (_, kind) => (kind.Count + 1, kind.First));
        }

        if (!IsDrainRace(category, id) && (level >= LogLevel.Error || (exception is not null && level >= LogLevel.Warning)))
        {
            Interlocked.CompareExchange(ref _firstError, $"{level} {category}[{id.Id}] {Shorten(message)} {exception}", null);
        }
    }

    /// <summary>
    /// The web server logs this if a client resets its connection at the moment at which its unread body is about to be discarded. The request has been
    /// answered or aborted by then, and nothing is kept. It is counted and printed, as a warning is.
    /// </summary>
    private static bool IsDrainRace(string category, EventId id) => category == "Microsoft.AspNetCore.Server.Kestrel" && id.Id == 67;

    private static string Shorten(string message) => message.Length <= ShownChars ? message : message[..ShownChars];

    private sealed class Logger(FuzzLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Add(category, logLevel, eventId, formatter(state, exception), exception);
    }
}
