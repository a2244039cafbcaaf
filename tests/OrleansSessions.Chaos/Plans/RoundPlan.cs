namespace OrleansSessions.Chaos.Plans;

/// <summary>Who takes part in a session.</summary>
internal enum RoundKind
{
    /// <summary>A v1 socket.</summary>
    V1,

    /// <summary>A v1 socket that asks, and another one on another node that follows.</summary>
    V1AndFollower,

    /// <summary>A v1 socket that asks, and an event stream on another node that follows.</summary>
    V1AndStream,

    /// <summary>An event stream. Its client asks over HTTP.</summary>
    Stream,

    /// <summary>A basic socket.</summary>
    Basic,
}

/// <summary>What happens to a question besides being asked.</summary>
internal enum QuestionTwist
{
    None,

    /// <summary>It is cancelled on the socket that asked.</summary>
    Cancel,

    /// <summary>It is cancelled over HTTP, on another node.</summary>
    CancelElsewhere,

    /// <summary>It is asked again with the same id.</summary>
    AskAgain,

    /// <summary>Another question comes while it is open, and is refused as busy if it is still open.</summary>
    AskBusy,

    /// <summary>Another question comes while it is open, and waits.</summary>
    Queue,

    /// <summary>Another question comes while it is open, and replaces it.</summary>
    Replace,

    /// <summary>It is asked without an id. Only a basic client does that.</summary>
    WithoutId,
}

/// <summary>A question of a round.</summary>
/// <param name="Text">The question. The answer is the same text.</param>
/// <param name="Pause">The wait before it is asked.</param>
/// <param name="TwistAfter">The time from the ask to the twist.</param>
/// <param name="OtherText">The text of the other question, for a twist that asks one.</param>
internal sealed record PlannedQuestion(string Id, string Text, TimeSpan Pause, QuestionTwist Twist, TimeSpan TwistAfter, string OtherText)
{
    /// <summary>The id of the other question.</summary>
    public string OtherId => Id + "-other";
}

/// <summary>The life of one session: a few questions, one after another, then a last one that must be answered.</summary>
internal sealed record RoundPlan(string Session, RoundKind Kind, int FirstNode, IReadOnlyList<PlannedQuestion> Questions)
{
    private const int MinQuestions = 3;
    private const int MaxQuestions = 7;
    private const int MinWords = 3;
    private const int MaxWords = 36;
    private const int LastWords = 4;

    private static readonly (QuestionTwist, int)[] SocketTwists =
    [
        (QuestionTwist.None, 60), (QuestionTwist.Cancel, 6), (QuestionTwist.CancelElsewhere, 6), (QuestionTwist.AskAgain, 8), (QuestionTwist.AskBusy, 8),
        (QuestionTwist.Queue, 7), (QuestionTwist.Replace, 5),
    ];

    private static readonly (QuestionTwist, int)[] BasicTwists =
        [(QuestionTwist.None, 60), (QuestionTwist.CancelElsewhere, 8), (QuestionTwist.AskAgain, 8), (QuestionTwist.AskBusy, 8), (QuestionTwist.WithoutId, 16)];

    private static readonly (RoundKind, int)[] Kinds =
        [(RoundKind.V1, 40), (RoundKind.V1AndFollower, 15), (RoundKind.V1AndStream, 10), (RoundKind.Stream, 15), (RoundKind.Basic, 20)];

    /// <summary>The number of clients that follow a session of this kind.</summary>
    public static int ClientsOf(RoundKind kind) => kind is RoundKind.V1AndFollower or RoundKind.V1AndStream ? 2 : 1;

    /// <summary>What each place of a run is for, so that the clients are about as many as asked for.</summary>
    public static IReadOnlyList<RoundKind> Places(int seed, int clients)
    {
        var random = PlanRandom.Of(seed, "places");
        var places = new List<RoundKind>();
        for (var left = clients; left > 0; left -= ClientsOf(places[^1]))
        {
            places.Add(random.Pick(Kinds));
        }

        return places;
    }

    /// <summary>The plan of one round of a place.</summary>
    public static RoundPlan Of(int seed, int place, RoundKind kind, int round, int nodes)
    {
        var random = PlanRandom.Of(seed, "round", place, round);
        var session = $"s{place}-{round}-{random.Next(1_000_000):D6}";
        var twists = kind == RoundKind.Basic ? BasicTwists : SocketTwists;
        var questions = new List<PlannedQuestion>();
        var count = random.Next(MinQuestions, MaxQuestions + 1);
        for (var number = 0; number <= count; number++)
        {
            var isLast = number == count;
            var twist = isLast ? QuestionTwist.None : random.Pick(twists);
            var id = $"q{place}-{round}-{number}";
            questions.Add(new(
                id, Text(id, isLast ? LastWords : random.Next(MinWords, MaxWords + 1)), random.Between(0, 2.5), twist, random.Between(0.05, 2.5),
                Text(id + "-other", random.Next(MinWords, MaxWords / 2))));
        }

        return new(session, kind, random.Next(nodes), questions);
    }

    // Each word is long enough that a missing or repeated one shows, and some are not ASCII, so that bytes and characters differ.
    private static string Text(string id, int words) =>
        string.Join(' ', Enumerable.Range(1, words).Select(number => number % 5 == 0 ? $"{id}-wört{number}" : $"{id}-w{number}"));
}
