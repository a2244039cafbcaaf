using OrleansSessions.Client.Http;
using OrleansSessions.Client.Questions;
using OrleansSessions.Client.Sessions;

namespace OrleansSessions.Client.Connections;

/// <summary>Looks up questions over HTTP, for what the connection does not deliver.</summary>
internal sealed class QuestionReads(SessionApi api, SessionCore core, Lock gate, TimeProvider time)
{
    private const int MaxReads = 5;
    private static readonly TimeSpan MinReadWait = TimeSpan.FromMilliseconds(250);

    /// <summary>Reads a question from the server, several times if necessary.</summary>
    public async Task ReadAsync(Question question, CancellationToken stopping)
    {
        var backOff = new BackOff(Random.Shared.NextDouble) { Min = MinReadWait };
        Exception? fault = null;
        for (var reads = 0; reads < MaxReads; reads++)
        {
            if (reads > 0)
            {
                var wait = backOff.Next(TimeSpan.Zero, (fault as SessionRefusedException)?.RetryAfter);
                await Task.Delay(wait < MinReadWait ? MinReadWait : wait, time, stopping).ConfigureAwait(false);
            }

            try
            {
                var stored = await api.GetQuestionAsync(question.Id, stopping).ConfigureAwait(false);
                lock (gate)
                {
                    if (SessionCore.OnRead(question, stored))
                    {
                        return;
                    }
                }
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                // Whatever it is, also a token that cannot be had: the asker gets it, if no other attempt succeeds.
                fault = failure;
            }
        }

        lock (gate)
        {
            core.OnUnreadable(question, fault);
        }
    }
}
