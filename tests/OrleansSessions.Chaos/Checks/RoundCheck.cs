using OrleansSessions.Chaos.Transcripts;

namespace OrleansSessions.Chaos.Checks;

/// <summary>All checks of one session. They know only what was on the wire, and the questions.</summary>
internal static class RoundCheck
{
    public static (IReadOnlyList<Finding> Findings, IReadOnlyCollection<QuestionOutcome> Ends) Run(RoundRecord round)
    {
        var seen = new Sightings(round);
        foreach (var transcript in round.Transcripts)
        {
            switch (transcript.Kind)
            {
                case ClientKind.V1 or ClientKind.Stream:
                    FollowCheck.Run(transcript, round, seen);
                    break;
                case ClientKind.Basic:
                    BasicCheck.Run(transcript, round, seen);
                    break;
                default:
                    HttpCheck.Run(transcript, seen, []);
                    break;
            }
        }

        HistoryCheck.Run(round, seen);
        seen.CheckTogether();
        return (seen.Findings, [.. seen.Ends.Values]);
    }
}
