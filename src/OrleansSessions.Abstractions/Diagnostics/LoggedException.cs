using System.Text;
using OrleansSessions.Responders;

namespace OrleansSessions.Diagnostics;

/// <summary>
/// An exception as it may be logged: the types of the exception and of its causes with their stack traces, but no message.
/// A message can repeat what a user, a model's endpoint or a store said: a question, an answer, a key.
/// Every exception in a log message of this product is one of these.
/// </summary>
public sealed class LoggedException : Exception
{
    /// <summary>Bounds what one fault can write: an <see cref="AggregateException"/> may hold any number of causes.</summary>
    private const int MaxCauses = 16;

    private const int MaxDepth = 8;
    private readonly Exception _fault;
    private readonly bool _withMessages;

    private LoggedException(Exception fault, bool withMessages)
    {
        _fault = fault;
        _withMessages = withMessages;
    }

    /// <summary>The types of the exception and of its causes, outermost first.</summary>
    public override string Message => _withMessages ? _fault.Message : string.Join(" <- ", Causes(_fault).Select(cause => Describe(cause.Fault)));

    /// <summary>Where the exception was thrown.</summary>
    public override string? StackTrace => _fault.StackTrace;

    /// <summary>The exception without its messages.</summary>
    public static LoggedException Of(Exception fault) => fault as LoggedException ?? new(fault, withMessages: false);

    /// <summary>The exception whole, for a developer who looks at a responder of their own.</summary>
    public static LoggedException WithMessages(Exception fault) => fault as LoggedException ?? new(fault, withMessages: true);

    /// <summary>What loggers write. It is composed only when a log line is.</summary>
    public override string ToString()
    {
        if (_withMessages)
        {
            return _fault.ToString();
        }

        var text = new StringBuilder();
        foreach (var (fault, depth) in Causes(_fault))
        {
            text.Append(text.Length == 0 ? "" : $"{Environment.NewLine}{new string(' ', depth)}---> ").Append(Describe(fault));
            if (fault.StackTrace is { Length: > 0 } stack)
            {
                text.AppendLine().Append(stack);
            }
        }

        return text.ToString();
    }

    /// <summary>The messages of the built-in responders are composed here, and repeat nothing that came from outside.</summary>
    private static string Describe(Exception fault) =>
        fault is ResponderException { IsSafeToLog: true } ? $"{fault.GetType()}: {fault.Message}" : fault.GetType().ToString();

    private static IEnumerable<(Exception Fault, int Depth)> Causes(Exception fault)
    {
        var waiting = new Stack<(Exception Fault, int Depth)>([(fault, 0)]);
        for (var count = 0; count < MaxCauses && waiting.TryPop(out var next); count++)
        {
            // One that was made fit for the log before, as the cause of another, tells its own causes.
            var current = next.Fault is LoggedException logged ? logged._fault : next.Fault;
            yield return (current, next.Depth);
            if (next.Depth < MaxDepth)
            {
                foreach (var inner in InnerOf(current).AsEnumerable().Reverse())
                {
                    waiting.Push((inner, next.Depth + 1));
                }
            }
        }
    }

    private static Exception[] InnerOf(Exception fault) => fault switch
    {
        AggregateException several => [.. several.InnerExceptions.Take(MaxCauses)],
        { InnerException: { } inner } => [inner],
        _ => [],
    };
}
