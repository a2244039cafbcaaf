namespace OrleansSessions.Fuzz;

/// <summary>One kind of input, and what must hold for each of them.</summary>
public interface IFuzzTarget
{
    /// <summary>The name on the command line.</summary>
    string Kind { get; }

    /// <summary>True if an input depends on no input before it, so that a smaller one can be searched for.</summary>
    bool IsRepeatable { get; }

    /// <summary>How many inputs are checked at the same time.</summary>
    int Parallelism { get; }

    /// <summary>Creates an input from nothing but these random numbers.</summary>
    byte[] Create(Random random);

    /// <summary>Returns what is wrong, or null. An exception is a fault, too.</summary>
    ValueTask<string?> CheckAsync(byte[] input);
}
