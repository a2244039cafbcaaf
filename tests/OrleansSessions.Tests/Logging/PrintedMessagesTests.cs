using System.Reflection;
using System.Runtime.CompilerServices;
using OrleansSessions.Gateways;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Logging;

/// <summary>Orleans logs messages in the form that their ToString returns: with ids, and without texts.</summary>
public sealed class PrintedMessagesTests
{
    private const string Said = "what was said";

    /// <summary>The texts that may be printed, because they are names.</summary>
    private static readonly HashSet<string> Names =
    [
        nameof(AskRequest.QuestionId), nameof(AskRequest.Gateway), nameof(AskRequest.Connection), nameof(AttachRequest.BasicConnection),
        nameof(GatewayItem.SessionKey),
        nameof(LeaseRequest.Holder), nameof(ListedSession.SessionId), nameof(ListSessionsRequest.AfterSessionId),
        nameof(AttachReply.Responder), nameof(AskReply.ActiveQuestionId), nameof(Caller.TraceParent),
    ];

    public static TheoryData<Type> Messages =>
    [
        .. typeof(AskRequest).Assembly.GetTypes()
            .Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null
                && type is { IsAbstract: false, IsPublic: true, IsValueType: false }),
        typeof(QuestionEnd),
    ];

    [Theory]
    [MemberData(nameof(Messages))]
    public void Message_PrintsNoText(Type message) => Assert.DoesNotContain(Said, Create(message).ToString()!, StringComparison.Ordinal);

    private static object Create(Type type)
    {
        var message = RuntimeHelpers.GetUninitializedObject(type);
        foreach (var property in type.GetProperties().Where(property => property.CanWrite))
        {
            property.SetValue(message, Value(property));
        }

        return message;
    }

    private static object? Value(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return type == typeof(string) ? (Names.Contains(property.Name) ? "id" : Said)
            : type.IsArray ? Array.CreateInstance(type.GetElementType()!, 0)
            : type.IsValueType ? Activator.CreateInstance(type)
            : type == typeof(QuestionDescription) || type == typeof(QuestionEnd) || type == typeof(Caller) ? Create(type)
            : null;
    }
}
