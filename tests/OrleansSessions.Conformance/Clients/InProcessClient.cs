using System.IO.Pipelines;
using System.Text;
using System.Threading.Channels;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Clients;

/// <summary>A client program that runs in this process, with an input and an output of its own: it starts at once.</summary>
internal sealed class InProcessClient : IClientUnderTest
{
    private const int KeptLines = 10_000;
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private readonly Pipe _input = new();
    private readonly StreamWriter _writer;
    private readonly LineWriter _output = new();
    private readonly Task<int> _running;

    /// <param name="run">Reads commands and writes events, a line each, and returns the exit code.</param>
    public InProcessClient(Func<TextReader, TextWriter, Task<int>> run)
    {
        _writer = new(_input.Writer.AsStream(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true };
        _running = RunAsync(run);
    }

    public string Remarks => "";

    public Task SendAsync(string line) => _writer.WriteAsync(line + "\n");

    public void EndInput() => _input.Writer.Complete();

    public async ValueTask<Frame?> NextAsync(CancellationToken cancellationToken) =>
        await _output.Lines.WaitToReadAsync(cancellationToken) && _output.Lines.TryRead(out var line) ? ClientLines.Parse(line) : null;

    public Task<int> ExitAsync(CancellationToken cancellationToken) => _running.WaitAsync(cancellationToken);

    /// <summary>Ends the input, which closes the session. A program that does not end then is left alone, because nothing can end it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _input.Writer.CompleteAsync();
        await ((Task)_running.WaitAsync(EndPatience, TimeProvider.System)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<int> RunAsync(Func<TextReader, TextWriter, Task<int>> run)
    {
        // Its lines come in any case after whoever starts it has returned.
        await Task.Yield();
        try
        {
            using var reader = new StreamReader(_input.Reader.AsStream());
            return await run(reader, _output);
        }
        finally
        {
            _output.End();
        }
    }

    /// <summary>Collects what is written, line by line.</summary>
    private sealed class LineWriter : TextWriter
    {
        private readonly Channel<string> _lines = Channel.CreateBounded<string>(KeptLines);
        private readonly StringBuilder _line = new();

        public override Encoding Encoding => Encoding.UTF8;

        public ChannelReader<string> Lines => _lines.Reader;

        public override void Write(char value)
        {
            lock (_line)
            {
                if (value != '\n')
                {
                    _line.Append(value);
                    return;
                }

                // A line that no case takes for so long is not needed: the case has ended.
                _lines.Writer.TryWrite(_line.ToString().TrimEnd('\r'));
                _line.Clear();
            }
        }

        public void End() => _lines.Writer.TryComplete();
    }
}
