using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using OrleansSessions.SocketGateway.Http.StreamedAnswers;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class BodyLinesTests
{
    private const int MaxLineBytes = 16;

    // A reader goes on before the write returns, so a test knows what has been read.
    private readonly Pipe _body = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
    private readonly BodyLines _lines;

    public BodyLinesTests() => _lines = new(_body.Reader, MaxLineBytes);

    [Fact]
    public async Task Lines_EndWithLfOrCrLf_AndTheLastWithTheBody()
    {
        await WriteAsync("a\nb\r\nc");
        await _body.Writer.CompleteAsync();

        Assert.Equal(["a", "b\r", "c"], await RestAsync());
    }

    [Fact]
    public async Task BlankLines_AreSkipped_AndCounted()
    {
        await WriteAsync("\n \t\r\n\na\n\n");
        await _body.Writer.CompleteAsync();

        Assert.Equal(["a"], await RestAsync());
        Assert.Equal(5, _lines.Number);
    }

    [Fact]
    public async Task ALine_ThatComesByteByByte_IsHandedOutWhole()
    {
        var reading = _lines.ReadAsync(default).AsTask();
        foreach (var part in Encoding.UTF8.GetBytes("häl€😀"))
        {
            await _body.Writer.WriteAsync(new[] { part });
            Assert.False(reading.IsCompleted);
        }

        await WriteAsync("\n");

        Assert.Equal(LineOutcome.Line, await reading);
        Assert.Equal("häl€😀", Text());
    }

    [Fact]
    public async Task TheNextPart_IsRead_OnlyWhenTheLinesBeforeItWereHandedOut()
    {
        await WriteAsync("a\nb\n");
        await _lines.ReadAsync(default);
        var flush = _body.Writer.WriteAsync("c\n"u8.ToArray());

        Assert.Equal("a", Text());
        await _lines.ReadAsync(default);
        Assert.Equal("b", Text());
        await flush;
        await _lines.ReadAsync(default);
        Assert.Equal("c", Text());
    }

    [Theory]
    [InlineData("a\n12345678901234567\nb\n", 2)]
    [InlineData("12345678901234567", 1)]
    public async Task ALineOverTheLimit_IsNotReadToItsEnd(string text, int number)
    {
        await WriteAsync(text);

        var outcome = await _lines.ReadAsync(default);
        Assert.Equal(LineOutcome.TooLong, outcome == LineOutcome.Line ? await _lines.ReadAsync(default) : outcome);
        Assert.Equal(number, _lines.Number);
    }

    [Fact]
    public async Task ALineAtTheLimit_IsRead()
    {
        await WriteAsync("1234567890123456\n");

        Assert.Equal(LineOutcome.Line, await _lines.ReadAsync(default));
    }

    [Fact]
    public async Task TheBeginningOfALine_IsTakenFromTheBody_BeforeMoreIsRead()
    {
        using var cancel = new CancellationTokenSource();
        var reading = _lines.ReadAsync(cancel.Token).AsTask();
        await WriteAsync("ab");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await WriteAsync("c\n");

        Assert.True(_body.Reader.TryRead(out var left));
        Assert.Equal("c\n", Encoding.UTF8.GetString(left.Buffer.ToArray()));
    }

    [Fact]
    public async Task ACancelledRead_LosesNothing()
    {
        using var cancelled = new CancellationTokenSource();
        await WriteAsync("a");
        var reading = _lines.ReadAsync(cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);

        await WriteAsync("b\n");

        Assert.Equal(LineOutcome.Line, await _lines.ReadAsync(default));
        Assert.Equal("ab", Text());
    }

    private string Text() => Encoding.UTF8.GetString(_lines.Line.ToArray());

    private async Task WriteAsync(string text) => await _body.Writer.WriteAsync(Encoding.UTF8.GetBytes(text));

    private async Task<List<string>> RestAsync()
    {
        var all = new List<string>();
        while (await _lines.ReadAsync(default) == LineOutcome.Line)
        {
            all.Add(Text());
        }

        return all;
    }
}
