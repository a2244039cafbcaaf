using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Frames;
using OrleansSessions.SocketGateway.Profiles;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class BasicFramesTests
{
    private const int MaxFrameBytes = 4096;

    [Theory]
    [InlineData(QuestionStatus.Failed)]
    [InlineData(QuestionStatus.Incomplete)]
    public void NoFrameExceedsItsLimit_WhateverTheResponderSaid(QuestionStatus status)
    {
        // A control character takes six bytes of JSON.
        var worst = new string('\u0001', MaxFrameBytes);
        foreach (var length in new[] { 1, 64, 65, 256, 257, MaxFrameBytes })
        {
            var end = new QuestionEnd
            {
                Status = status,
                Reason = worst[..length],
                Message = worst[..length],
                RetryAfterMs = long.MaxValue,
                Deltas = 1,
                Bytes = worst.Length,
                FirstMs = 1,
                TotalMs = 1,
            };
            var buffer = FrameBuffer.Rent();
            var bytes = buffer.Write(BasicFrames.Of(new string('q', 64), end, worst, MaxFrameBytes)).Length;
            FrameBuffer.Return(buffer);

            Assert.InRange(bytes, 1, MaxFrameBytes);
        }
    }
}
