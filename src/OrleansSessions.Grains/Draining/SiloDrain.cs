using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.Clustering;
using OrleansSessions.Grains.Sessions;

namespace OrleansSessions.Grains.Draining;

/// <summary>
/// Lets the sessions of a stopping silo go while streams still deliver and other silos can take them up: idle ones at once, busy ones when
/// their answer has ended and is stored, and the rest when the time is over. Those are handed over: their answers go on elsewhere.
/// </summary>
internal sealed partial class SiloDrain(
    LocalSessions sessions, SessionStores stores, [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time, ILogger<SiloDrain> logger) : IDrainStep
{
    /// <summary>So that clients whose sessions move do not all call at once.</summary>
    private const int LeavingAtOnce = 256;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>How long the last ones may take. An activation stops its responder, saves its text and writes its record: 2 s each at most.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(5);

    public async Task DrainAsync(CancellationToken ending)
    {
        if (sessions.Eviction.IsEvicted)
        {
            // Others may have them already.
            return;
        }

        // 1. Until the time is over: those that are not busy leave, also those that get a question meanwhile and finish it.
        while (!ending.IsCancellationRequested && LetGo(mayBeBusy: false))
        {
            await Task.Delay(Pause, time, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // 2. Then all. Where there is no other silo they are saved as this one stops, and go on when one starts.
        if (!stores.IsStored || !sessions.Cluster.MustActivateElsewhere)
        {
            return;
        }

        var handedOver = sessions.All.Count(session => session.HasOpenQuestion);
        if (handedOver > 0)
        {
            LogMessages.HandsOver(logger, handedOver);
        }

        var startedAt = time.GetTimestamp();
        while (LetGo(mayBeBusy: true) && sessions.Cluster.MustActivateElsewhere && time.GetElapsedTime(startedAt) < LastPatience)
        {
            await Task.Delay(Pause, time, CancellationToken.None);
        }
    }

    /// <summary>Asks some sessions to leave. False if there is nothing left to wait for.</summary>
    private bool LetGo(bool mayBeBusy)
    {
        if (!stores.IsStored)
        {
            // No other process can take them up, so they stay for as long as they answer.
            return sessions.All.Any(session => session.HasOpenQuestion);
        }

        var isAny = false;
        var leaving = 0;
        foreach (var session in sessions.All)
        {
            isAny = true;
            if ((mayBeBusy || !session.IsBusy) && leaving++ < LeavingAtOnce)
            {
                session.Leave();
            }
        }

        return isAny;
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "{Count} sessions with an open question are handed over to other silos")]
        public static partial void HandsOver(ILogger logger, int count);
    }
}
