using System.Globalization;
using System.Text;
using System.Text.Json;
using OrleansSessions.Conformance.Cases;

namespace OrleansSessions.Conformance.Resuming;

/// <summary>
/// Answers one question from outside, piece by piece, until the case says that it is enough. A piece that another process must take over is sent again from
/// the offset that it expects.
/// </summary>
internal sealed class PacedAnswer(ResumeScene scene, string id)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(4);

    private readonly StringBuilder _text = new();
    private int _pieces;
    private int _known;

    public string Text => _text.ToString();

    /// <summary>Sends pieces until the condition is true, but at least so many.</summary>
    public async Task GrowUntilAsync(Func<bool> isEnough, int pieces, string expected)
    {
        var start = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < pieces || !isEnough(); i++)
        {
            if (TimeProvider.System.GetElapsedTime(start) > scene.Patience.Limit)
            {
                throw new CaseFailedException(expected, $"{scene.Plan.Done} connections cut of {scene.Plan.Cuts.Count}, at the end of the patience");
            }

            _pieces++;
            _text.Append(CultureInfo.InvariantCulture, $"p{_pieces}\u00E9\U0001F600 ");
            await SendAsync(isFinal: false);
            await Task.Delay(Pace, TimeProvider.System);
        }
    }

    public async Task FinishAsync()
    {
        _text.Append("end.");
        await SendAsync(isFinal: true);
    }

    /// <summary>Sends what the server does not have yet.</summary>
    private async Task SendAsync(bool isFinal)
    {
        var bytes = Encoding.UTF8.GetBytes(Text);
        var start = TimeProvider.System.GetTimestamp();
        var offset = _known;
        while (true)
        {
            var body = JsonSerializer.Serialize(new { attempt = 1, offset, text = Encoding.UTF8.GetString(bytes.AsSpan(offset)), final = isFinal });
            var (status, reply) = await scene.CallAsync(HttpMethod.Post, $"/questions/{id}/answer", body);
            if (status == 200)
            {
                _known = bytes.Length;
                return;
            }

            if (reply?.Number("expected_offset") is { } expected)
            {
                offset = (int)expected;
            }
            else if (reply?.Text("code") == "already_done" && isFinal)
            {
                // The reply to the last piece was lost with its server.
                return;
            }
            else
            {
                // While another process takes the session over, the request can fail.
                Check.That(
                    reply?.Flag("retryable") == true && TimeProvider.System.GetElapsedTime(start) < scene.Patience.Limit, "200 for a piece of the answer",
                    $"{status} {reply}");
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }
}
