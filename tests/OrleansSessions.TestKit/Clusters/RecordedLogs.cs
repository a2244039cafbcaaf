using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.TestKit.Clusters;

/// <summary>Records every log entry at every level as a sink would write it: category, message, values and exception.</summary>
public sealed class RecordedLogs : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines];

    /// <summary>The entries of the product's own categories.</summary>
    public IEnumerable<string> OwnLines => Lines.Where(line =>
        line.StartsWith("OrleansSessions.", StringComparison.Ordinal) && !line.StartsWith("OrleansSessions.Tests.", StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => new Recorder(categoryName, _lines);

    public void Dispose()
    {
    }

    private sealed class Recorder(string category, ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(", ", pairs.Select(pair => $"{pair.Key}={pair.Value}")) : "";
            lines.Enqueue($"{category} {logLevel} {formatter(state, exception)} [{values}] {Everything(exception)}");
        }

        /// <summary>Returns everything that different sinks read from an exception.</summary>
        private static string Everything(Exception? exception) => exception is null
            ? ""
            : $"{exception} {exception.Message} {exception.StackTrace} {exception.InnerException} "
                + string.Join(", ", exception.Data.Keys.Cast<object>().Select(key => $"{key}={exception.Data[key]}"));
    }
}
