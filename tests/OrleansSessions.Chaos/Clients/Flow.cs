using OrleansSessions.Chaos.Results;

namespace OrleansSessions.Chaos.Clients;

/// <summary>Measures how long faults interrupt what one client receives.</summary>
/// <param name="note">Writes a line into the client's transcript.</param>
/// <param name="noticesSilence">True for a client that notices a connection on which nothing arrives. Of others only visible breaks are measured.</param>
internal sealed class Flow(RunClock clock, Recoveries recoveries, Action<string> note, bool noticesSilence)
{
    /// <summary>The lines of a transcript that has a long wait begin so.</summary>
    public const string SlowMark = "SLOW";

    /// <summary>The lines of a transcript that has a wait beyond the goal begin so.</summary>
    public const string VerySlowMark = "VERY SLOW";

    /// <summary>Longer waits are worth a look at the transcript.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(5);

    /// <summary>The goal for the longest wait.</summary>
    private static readonly TimeSpan VerySlow = TimeSpan.FromSeconds(10);

    /// <summary>What was already on its way when the fault came.</summary>
    private static readonly TimeSpan Underway = TimeSpan.FromMilliseconds(50);

    /// <summary>An answer that was not interrupted has an event at least this often.</summary>
    private static readonly TimeSpan Interruption = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private (Cause Cause, TimeSpan At, bool NeedsNewLink)? _broken;
    private bool _isHitAgain;
    private (Cause Cause, TimeSpan At)? _watched;
    private bool _isBlind;

    /// <summary>A fault hits the client's connection, or the node behind it.</summary>
    /// <param name="needsNewLink">True if nothing more can arrive on the connection, or only for a while.</param>
    /// <param name="isSilent">True if nothing tells the client that the connection is broken.</param>
    public void Disturb(Cause cause, bool needsNewLink, bool isSilent)
    {
        lock (_gate)
        {
            // The first fault counts, but a drain alone breaks nothing.
            _isBlind |= isSilent && !noticesSilence;
            if (!_isBlind && _broken is null or { Cause: Cause.Drain })
            {
                (_broken, _isHitAgain) = ((cause, clock.Now, needsNewLink), false);
            }
            else
            {
                _isHitAgain = true;
            }
        }
    }

    /// <summary>A fault hits a process that may hold the session of the client's open answer.</summary>
    public void WatchAnswer(Cause cause)
    {
        lock (_gate)
        {
            if (_watched is null)
            {
                (_watched, _isHitAgain) = ((cause, clock.Now), _isHitAgain && _broken is not null);
            }
        }
    }

    /// <summary>A node is lost while another one is away. Whoever has not recovered by now waits for both.</summary>
    public void HitAgain()
    {
        lock (_gate)
        {
            _isHitAgain = _broken is not null || _watched is not null;
        }
    }

    /// <summary>A frame arrived on a connection that is live.</summary>
    /// <param name="isNewEpoch">True if it says that another process goes on with the session.</param>
    public void OnFrame(bool isAboutAnswer, bool isNewEpoch)
    {
        lock (_gate)
        {
            var now = clock.Now;
            _isBlind = false;
            if (_broken is { NeedsNewLink: false } broken && now - broken.At > Underway)
            {
                Add(recoveries.AddSocket, broken.Cause, now - broken.At);
                _broken = null;
            }

            if (_watched is { } watched && isAboutAnswer && now - watched.At > Underway)
            {
                if (isNewEpoch || now - watched.At > Interruption)
                {
                    Add(recoveries.AddAnswer, watched.Cause, now - watched.At);
                }

                _watched = null;
            }
        }
    }

    /// <summary>A new connection is live.</summary>
    /// <param name="openedAt">When it was asked for.</param>
    /// <param name="without">How long the client had no connection before.</param>
    /// <param name="isV1">True for a v1 socket.</param>
    public void OnLive(TimeSpan openedAt, TimeSpan without, bool isV1)
    {
        lock (_gate)
        {
            if (_broken is { } broken && openedAt > broken.At)
            {
                _broken = null;
                Add(recoveries.AddSocket, broken.Cause, broken.Cause == Cause.Drain ? without : clock.Now - broken.At);
                if (broken.Cause == Cause.Drain && isV1)
                {
                    recoveries.AddWithoutSocket(without);
                }
            }

            _isBlind = false;
            // The wait for this connection is measured, so the same wait is not measured as one for the answer.
            _watched = null;
        }
    }

    private void Add(Action<Cause, TimeSpan> add, Cause cause, TimeSpan time)
    {
        if (_isHitAgain)
        {
            recoveries.AddSeveral(time);
        }
        else
        {
            add(cause, time);
        }

        if (time > Slow)
        {
            var mark = _isHitAgain ? "Several faults" : time > VerySlow ? VerySlowMark : SlowMark;
            note($"{mark}: {time.TotalSeconds:F1} s after {cause}");
        }
    }
}
