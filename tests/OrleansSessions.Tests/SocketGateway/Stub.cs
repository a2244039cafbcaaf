using System.Reflection;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>Implements an interface for a test that knows which few members are called.</summary>
public class Stub : DispatchProxy
{
    private Func<MethodInfo, object?[], object?> _play = (method, _) => throw new NotSupportedException(method.Name);

    public static T Of<T>(Func<MethodInfo, object?[], object?> play)
        where T : class
    {
        var stub = Create<T, Stub>();
        ((Stub)(object)stub)._play = play;
        return stub;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _play(targetMethod!, args ?? []);
}
