using OrleansSessions.Diagnostics;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using Xunit;

namespace OrleansSessions.Tests.Logging;

/// <summary>What remains of an exception when its messages are removed.</summary>
public sealed class LoggedExceptionTests
{
    private const string Secret = "sk-secret What is my balance?";

    [Fact]
    public void Of_KeepsTypesAndStacks_AndNoMessage()
    {
        var fault = LoggedException.Of(Thrown(new InvalidOperationException(Secret, Thrown(new FormatException(Secret)))));

        Assert.Equal("System.InvalidOperationException <- System.FormatException", fault.Message);
        Assert.Equal(3, fault.ToString().Split(nameof(Thrown)).Length);
        AssertSilent(fault);
    }

    [Fact]
    public void Of_AnExceptionWithData_LeavesTheDataOut()
    {
        var fault = Thrown(new InvalidOperationException(Secret));
        fault.Data["question"] = Secret;

        Assert.Empty(LoggedException.Of(fault).Data);
        AssertSilent(LoggedException.Of(fault));
    }

    [Fact]
    public void Of_AnAggregate_NamesEachCause()
    {
        var fault = LoggedException.Of(new AggregateException(
            Secret, Thrown(new FormatException(Secret)), new TimeoutException(Secret, new IOException(Secret))));

        Assert.Equal("System.AggregateException <- System.FormatException <- System.TimeoutException <- System.IO.IOException", fault.Message);
        AssertSilent(fault);
    }

    [Fact]
    public void Of_AnAlreadyCleanedException_ContinuesWithItsCauses()
    {
        var inner = LoggedException.Of(new FormatException(Secret, new IOException(Secret)));
        var fault = LoggedException.Of(new ResponderException(DoneReasons.ResponderError, Secret, isRetryable: false, inner));

        Assert.Equal($"{typeof(ResponderException)} <- System.FormatException <- System.IO.IOException", fault.Message);
        AssertSilent(fault);
        Assert.Same(inner, LoggedException.Of(inner));
    }

    [Fact]
    public void Of_EndlessCauses_IsBounded()
    {
        var wide = new AggregateException(Enumerable.Range(0, 1000).Select(_ => new FormatException(Secret)));
        Exception deep = new FormatException(Secret);
        for (var i = 0; i < 1000; i++)
        {
            deep = new InvalidOperationException(Secret, deep);
        }

        Assert.Equal(16, LoggedException.Of(wide).Message.Split(" <- ").Length);
        Assert.Equal(9, LoggedException.Of(deep).Message.Split(" <- ").Length);
    }

    [Fact]
    public void WithMessages_IsTheExceptionWhole()
    {
        var fault = Thrown(new InvalidOperationException(Secret));

        Assert.Equal(fault.ToString(), LoggedException.WithMessages(fault).ToString());
        Assert.Equal(Secret, LoggedException.WithMessages(fault).Message);
    }

    private static void AssertSilent(LoggedException fault)
    {
        Assert.DoesNotContain("secret", fault.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
        Assert.Null(fault.InnerException);
    }

    private static T Thrown<T>(T fault)
        where T : Exception
    {
        try
        {
            throw fault;
        }
        catch (T caught)
        {
            return caught;
        }
    }
}
