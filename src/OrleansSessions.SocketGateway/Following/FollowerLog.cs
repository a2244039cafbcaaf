using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Reads the log of a follower's session for its cursor. A read that reaches the head subscribes this socket gateway again.</summary>
internal sealed class FollowerLog(Follower follower) : ILogSource
{
    public Task<LogPiece> ReadAsync(long epoch, long afterSeq)
    {
        var services = follower.Services;
        services.Metrics.LogReread();
        var count = services.Registry.Count(follower.Request.SessionKey);
        return follower.Session.ReadLogAsync(new()
        {
            Gateway = services.Grains.Gateway,
            Epoch = epoch,
            AfterSeq = afterSeq,
            Connections = count.Connections,
            Version = count.Version,
            MaxBytes = services.Options.LogReadBytes,
        });
    }

    public Task FlushAsync()
    {
        follower.Flush();
        return follower.Writer.WaitForRoomAsync();
    }

    public void OnBehind() => follower.Services.Metrics.FollowerFellBehind();
}
