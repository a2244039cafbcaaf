using System.Globalization;

namespace OrleansSessions.Conformance.Cases;

/// <summary>How long a case waits for one thing.</summary>
internal sealed class Patience(TimeSpan limit)
{
    /// <summary>How many times longer a program may take until it does something for the first time, because it must start.</summary>
    private const int StartFactor = 4;

    /// <summary>A case waits for several things, one after the other.</summary>
    private const int CaseFactor = 12;

    private static readonly TimeSpan MinCaseLimit = TimeSpan.FromSeconds(60);

    public TimeSpan Limit { get; } = limit;

    /// <summary>Long for a busy machine, and short beside <see cref="Limit"/>.</summary>
    public TimeSpan Moment => Limit / 4;

    /// <summary>How long a whole case may take.</summary>
    public TimeSpan CaseLimit => Limit * CaseFactor > MinCaseLimit ? Limit * CaseFactor : MinCaseLimit;

    public Patience ForStart => new(Limit * StartFactor);

    /// <exception cref="CaseFailedException">What is expected did not happen in time.</exception>
    public async Task<T> ForAsync<T>(string expected, Func<CancellationToken, Task<T>> wait)
    {
        using var deadline = new CancellationTokenSource(Limit, TimeProvider.System);
        try
        {
            return await wait(deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw new CaseFailedException(expected, string.Create(CultureInfo.InvariantCulture, $"nothing of the kind within {Limit.TotalSeconds:0.#} s"));
        }
    }
}
