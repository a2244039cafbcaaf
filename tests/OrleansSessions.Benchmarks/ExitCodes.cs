namespace OrleansSessions.Benchmarks;

/// <summary>The exit codes. A bad figure never changes the exit code.</summary>
internal static class ExitCodes
{
    public const int AllAnswersRight = 0;

    /// <summary>An answer was wrong or missing.</summary>
    public const int WrongAnswer = 1;

    /// <summary>The command line was invalid, a server did not start, or the run was stopped.</summary>
    public const int CouldNotRun = 2;
}
