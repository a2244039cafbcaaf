using System.Diagnostics;
using System.Text;
using System.Threading.Channels;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Clients;

/// <summary>A client program: one line in, one line out. What it prints to the standard error is kept for people.</summary>
internal sealed class ClientProcess : IClientUnderTest
{
    private const int KeptLines = 10_000;
    private const int KeptRemarks = 20;

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(KeptLines);
    private readonly Queue<string> _remarks = [];
    private readonly Task _reading;
    private readonly Task _listening;

    private ClientProcess(Process process)
    {
        _process = process;
        _reading = ReadAsync();
        _listening = ListenAsync();
    }

    public string Remarks
    {
        get
        {
            lock (_remarks)
            {
                return string.Join('\n', _remarks);
            }
        }
    }

    public static ClientProcess Start(IReadOnlyList<string> command)
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = utf8,
            StandardOutputEncoding = utf8,
            StandardErrorEncoding = utf8,
        };
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        var process = new Process { StartInfo = start };
        process.Start();
        return new(process);
    }

    public async Task SendAsync(string line)
    {
        await _process.StandardInput.WriteAsync(line + "\n");
        await _process.StandardInput.FlushAsync();
    }

    public void EndInput() => _process.StandardInput.Close();

    public async ValueTask<Frame?> NextAsync(CancellationToken cancellationToken) =>
        await _lines.Reader.WaitToReadAsync(cancellationToken) && _lines.Reader.TryRead(out var line) ? ClientLines.Parse(line) : null;

    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        // A program that wrote more lines than are kept must not hold its reader.
        _lines.Writer.TryComplete();
        await Task.WhenAll(_reading, _listening);
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line.Length > 0)
                {
                    await _lines.Writer.WriteAsync(line);
                }
            }
        }
        catch (ChannelClosedException)
        {
            // The case is over.
        }

        _lines.Writer.TryComplete();
    }

    private async Task ListenAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_remarks)
            {
                _remarks.Enqueue(line);
                if (_remarks.Count > KeptRemarks)
                {
                    _remarks.Dequeue();
                }
            }
        }
    }
}
