using OrleansSessions.Fuzz.Inputs;

namespace OrleansSessions.Fuzz;

/// <summary>Makes inputs of one kind and checks each.</summary>
public static class FuzzRun
{
    /// <summary>Checks this many inputs. Returns the first finding, or null.</summary>
    public static async Task<Finding?> RunAsync(IFuzzTarget target, int inputs, int seed)
    {
        Finding? first = null;
        using var found = new CancellationTokenSource();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = target.Parallelism, CancellationToken = found.Token };
        try
        {
            await Parallel.ForAsync(0, inputs, parallel, async (number, _) =>
            {
                if (await CheckAsync(target, seed, number) is { } finding)
                {
                    Interlocked.CompareExchange(ref first, finding, null);
                    await found.CancelAsync();
                }
            });
        }
        catch (OperationCanceledException) when (found.IsCancellationRequested)
        {
        }

        return first is not null && target.IsRepeatable ? await ReduceAsync(target, first) : first;
    }

    /// <summary>Checks one input of a run again.</summary>
    public static async Task<Finding?> CheckAsync(IFuzzTarget target, int seed, int number)
    {
        var input = target.Create(InputSeed.RandomOf(seed, number));
        return await FindAsync(target, input) is { } fault ? new(target.Kind, seed, number, input, fault) : null;
    }

    /// <summary>Checks one input. Returns what is wrong, or null.</summary>
    public static async Task<string?> FindAsync(IFuzzTarget target, byte[] input)
    {
        try
        {
            return await target.CheckAsync(input);
        }
        catch (Exception exception)
        {
            return $"{exception}";
        }
    }

    private static async Task<Finding> ReduceAsync(IFuzzTarget target, Finding finding)
    {
        var fault = FirstLine(finding.Fault);
        var smaller = await Reducer.ReduceAsync(finding.Input, async input => await FindAsync(target, input) is { } found && FirstLine(found) == fault);
        return finding with { Input = smaller };
    }

    private static string FirstLine(string fault) => fault.Split('\n')[0];
}
