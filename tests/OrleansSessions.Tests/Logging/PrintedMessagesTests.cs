using System.Reflection;
using OrleansSessions.Gateways;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Logging;

/// <summary>Orleans writes messages into its log as they print: with their ids, and without what was said.</summary>
public sealed class PrintedMessagesTests
{
    private const string Said = "what was said";

    /// <summary>The texts that may be printed: they name something.</summary>
    private static readonly HashSet<string> Names =
    [
        nameof(AskRequest.QuestionId), nameof(AskRequest.Gateway), nameof(AskRequest.Connection), nameof(AttachRequest.BasicConnection),
        nameof(SessionEventsItem.SessionKey),
        nameof(AttachReply.Responder), nameof(AskReply.ActiveQuestionId),
    ];

    public static TheoryData<Type> Messages =>
    [
        .. typeof(AskRequest).Assembly.GetTypes()
            .Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null && type is { IsAbstract: false, IsPublic: true, IsValueType: false }),
        typeof(QuestionEnd),
    ];

    [Theory]
    [MemberData(nameof(Messages))]
    public void Message_PrintsNoText(Type message) => Assert.DoesNotContain(Said, Create(message).ToString()!, StringComparison.Ordinal);

    [Fact]
    public void NoGrainMethod_TakesATextThatIsSaid() => Assert.All(
        typeof(ISessionGrain).GetMethods().SelectMany(method => method.GetParameters()).Where(parameter => parameter.ParameterType == typeof(string)),
        parameter => Assert.Equal("questionId", parameter.Name));

    private static object Create(Type type)
    {
        var constructor = type.GetConstructors().MaxBy(candidate => candidate.GetParameters().Length)!;
        return constructor.Invoke([.. constructor.GetParameters().Select(Value)]);
    }

    private static object? Value(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return type == typeof(string) ? (Names.Contains(parameter.Name!) ? "id" : Said)
            : type.IsArray ? Array.CreateInstance(type.GetElementType()!, 0)
            : type.IsValueType ? Activator.CreateInstance(type)
            : type == typeof(QuestionDescription) || type == typeof(QuestionEnd) ? Create(type)
            : null;
    }
}
