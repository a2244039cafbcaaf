using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Reads one question for a follower whose own events about it are not sufficient.</summary>
internal static class QuestionFetch
{
    private const int FirstDelayMs = 200;
    private const int LastDelayMs = 2_000;

    /// <summary>
    /// Returns the current state of a question, or null if the session does not know it. If the session cannot be reached, the call is repeated until the
    /// follower closes, because an answer that could not be fetched is not lost.
    /// </summary>
    /// <param name="maxAttempts">After this many failed attempts, null is returned too.</param>
    public static async Task<QuestionDescription?> FetchAsync(this Follower follower, string questionId, int maxAttempts = int.MaxValue)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await follower.Session.GetQuestionAsync(new() { QuestionId = questionId });
            }
            catch (Exception fault)
            {
                if (attempt == 1)
                {
                    // Logged once. In an outage, every waiting connection tries again and again.
                    follower.Services.Grains.Report(fault, "The question could not be read", follower.Request.SessionId, questionId);
                }

                if (attempt == maxAttempts || follower.IsClosing)
                {
                    return null;
                }
            }

            var delay = TimeSpan.FromMilliseconds(Math.Min(FirstDelayMs << Math.Min(attempt, 4), LastDelayMs));
            await Task.Delay(delay, follower.Services.Clock);
        }
    }
}
