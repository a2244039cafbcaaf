using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.TestKit.Logs;

/// <summary>A log entry and its exception.</summary>
public sealed record LogLine(string Category, LogLevel Level, string Message, Exception? Fault);

/// <summary>Records log entries for a test.</summary>
public sealed class RecordedLog : ILoggerProvider
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    public IReadOnlyCollection<LogLine> Lines => _lines;

    public IEnumerable<LogLine> From(string categoryEnd) => _lines.Where(line => line.Category.EndsWith(categoryEnd, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(RecordedLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log._lines.Enqueue(new(category, logLevel, formatter(state, exception), exception));
    }
}
