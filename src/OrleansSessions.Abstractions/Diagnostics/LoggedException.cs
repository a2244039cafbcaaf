using System.Text;
using OrleansSessions.Responders;

namespace OrleansSessions.Diagnostics;

/// <summary>
/// An exception in the form in which it can be logged: the types and stack traces of the exception and its causes, without messages.
/// A message can contain text from a user, a model's endpoint or a store, such as a question, an answer or a key.
/// Every exception that this product logs is a <see cref="LoggedException"/>.
/// </summary>
public sealed class LoggedException : Exception
{
    /// <summary>Limits the output for one fault, because an <see cref="AggregateException"/> can hold any number of causes.</summary>
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

    /// <summary>The stack trace of the original exception.</summary>
    public override string? StackTrace => _fault.StackTrace;

    /// <summary>Returns the exception without its messages.</summary>
    public static LoggedException Of(Exception fault) => fault as LoggedException ?? new(fault, withMessages: false);

    /// <summary>Returns the exception with its messages, for developers who debug their own responder.</summary>
    public static LoggedException WithMessages(Exception fault) => fault as LoggedException ?? new(fault, withMessages: true);

    /// <summary>The text that loggers write. It is composed only when the log entry is written.</summary>
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

    /// <summary>The messages of the built-in responders are written by this product and contain no text from outside, so they can be logged.</summary>
    private static string Describe(Exception fault) =>
        fault is ResponderException { IsSafeToLog: true } ? $"{fault.GetType()}: {fault.Message}" : fault.GetType().ToString();

    private static IEnumerable<(Exception Fault, int Depth)> Causes(Exception fault)
    {
        var waiting = new Stack<(Exception Fault, int Depth)>([(fault, 0)]);
        for (var count = 0; count < MaxCauses && waiting.TryPop(out var next); count++)
        {
            // A cause can already be a LoggedException. Unwrap it, so that its own causes are included.
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
