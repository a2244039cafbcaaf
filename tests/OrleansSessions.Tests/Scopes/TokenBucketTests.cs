using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Grains.Scopes;
using Xunit;

namespace OrleansSessions.Tests.Scopes;

public sealed class TokenBucketTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TokenBucket _bucket;

    public TokenBucketTests() => _bucket = new(60, _time);

    [Fact]
    public void Bucket_BeginsFull_AndIsEmptyAfterTheLimit()
    {
        Assert.Equal(59, _bucket.Take(59));
        Assert.Equal(1, _bucket.Take(5));
        Assert.Equal(0, _bucket.Take(1));
        Assert.Equal(TimeSpan.FromSeconds(1), _bucket.NextToken());
    }

    [Fact]
    public void Bucket_Refills_WithTime_AndNoFurtherThanTheLimit()
    {
        Assert.Equal(TimeSpan.Zero, _bucket.UntilFull());
        _bucket.Take(60);
        _time.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Equal(TimeSpan.FromSeconds(57.5), _bucket.UntilFull());

        Assert.Equal(2, _bucket.Take(60));
        Assert.Equal(TimeSpan.FromSeconds(0.5), _bucket.NextToken());
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(60, _bucket.Take(100));
    }
}
