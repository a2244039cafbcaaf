namespace OrleansSessions.Benchmarks;

/// <summary>What the process says to whoever started it. A figure, however bad, never changes it.</summary>
internal static class ExitCodes
{
    public const int AllAnswersRight = 0;

    /// <summary>An answer was wrong, or did not come.</summary>
    public const int WrongAnswer = 1;

    /// <summary>The command line was not understood, a server did not start, or somebody stopped the run.</summary>
    public const int CouldNotRun = 2;
}
