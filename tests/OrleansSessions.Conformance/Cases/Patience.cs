using System.Globalization;

namespace OrleansSessions.Conformance.Cases;

/// <summary>How long a case waits for one thing.</summary>
internal sealed class Patience(TimeSpan limit)
{
    /// <summary>How many times longer a program may take until it does something for the first time, because it must start.</summary>
    private const int StartFactor = 4;

    public TimeSpan Limit { get; } = limit;

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
