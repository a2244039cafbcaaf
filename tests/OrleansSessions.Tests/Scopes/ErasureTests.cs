using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Http;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

/// <summary>The erasure of a scope whose sessions are asked meanwhile.</summary>
public sealed class ErasureTests
{
    private readonly List<string> _listed = [];
    private readonly List<string> _removed = [];
    private readonly SessionAccess _access = new(CallerIdentity.Local, SessionScope.Of("issuer", "alice"), SessionRights.Administer);
    private int _late;

    [Fact]
    public async Task SessionThatIsAskedBetweenTheListAndTheEnd_IsRemovedToo()
    {
        _listed.Add("early");
        _late = 1;

        var erasure = Create();

        Assert.True(await erasure.RunAsync());
        Assert.Equal([_access.KeyOf("early"), _access.KeyOf("late-1")], _removed);
        Assert.Equal((2, true), (erasure.Removed, erasure.IsComplete));
    }

    [Fact]
    public async Task SessionsThatAreAskedAsFastAsOthersAreRemoved_EndIt()
    {
        _late = int.MaxValue;

        var erasure = Create();

        Assert.False(await erasure.RunAsync());
        Assert.Equal((_removed.Count, false), (erasure.Removed, erasure.IsComplete));
    }

    private Erasure Create()
    {
        var index = Stub.Of<IScopeIndexGrain>((method, arguments) => method.Name switch
        {
            nameof(IScopeIndexGrain.ListAsync) => Task.FromResult(
                new SessionList { Sessions = [.. _listed.Select(id => ListedSession.Of(id, "why", DateTimeOffset.UnixEpoch))] }),
            nameof(IScopeIndexGrain.RemoveAsync) => Forget(((RemoveSessionsRequest)arguments[0]!).SessionIds),
            nameof(IScopeIndexGrain.EraseAsync) => Task.FromResult(EraseUnlessAsked()),
            _ => throw new NotSupportedException(method.Name),
        });
        var grains = Stub.Of<IGrainFactory>((method, arguments) =>
            method.GetGenericArguments()[0] == typeof(IScopeIndexGrain) ? index : Session((string)arguments[0]!));
        return new(new(FollowerTestServices.Grains(grains), null!, null!, null!, TimeProvider.System, null!), _access, CancellationToken.None);
    }

    private ISessionGrain Session(string key) => Stub.Of<ISessionGrain>((method, _) =>
    {
        Assert.Equal(nameof(ISessionGrain.RemoveAsync), method.Name);
        _removed.Add(key);
        return Task.FromResult(true);
    });

    private Task Forget(string[] sessions)
    {
        _listed.RemoveAll(sessions.Contains);
        return Task.CompletedTask;
    }

    /// <summary>A question arrives just before the call.</summary>
    private EraseIndexReply EraseUnlessAsked()
    {
        if (_late-- > 0)
        {
            _listed.Add($"late-{_removed.Count}");
        }

        return new() { IsErased = _listed.Count == 0 };
    }
}
