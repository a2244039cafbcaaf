using System.ComponentModel;

namespace OrleansSessions.Configuration;

/// <summary>The values that an option may have: the one home of its limits. Both bounds are allowed values.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class WithinAttribute : Attribute
{
    private readonly object? _minimum;
    private readonly object? _maximum;

    /// <summary>Limits a number.</summary>
    public WithinAttribute(long minimum, long maximum = long.MaxValue) => (_minimum, _maximum) = (minimum, maximum);

    /// <summary>Limits a number with decimals.</summary>
    public WithinAttribute(double minimum, double maximum) => (_minimum, _maximum) = (minimum, maximum);

    /// <summary>Limits a time, written as <c>hours:minutes:seconds</c>. Without <paramref name="maximum"/> there is no upper bound.</summary>
    public WithinAttribute(string minimum, string? maximum = null) => (_minimum, _maximum) = (minimum, maximum);

    /// <summary>What the value must be, or null where it is allowed. Null is allowed: the option is not set.</summary>
    public string? FindFault(object? value)
    {
        if (value is null)
        {
            return null;
        }

        var comparable = (IComparable)value;
        var (minimum, maximum) = (Convert(_minimum, value.GetType()), Convert(_maximum, value.GetType()));
        var isWithin = (minimum is null || comparable.CompareTo(minimum) >= 0) && (maximum is null || comparable.CompareTo(maximum) <= 0);
        if (isWithin)
        {
            return null;
        }

        return maximum is null
            ? FormattableString.Invariant($"it must be at least {minimum}")
            : FormattableString.Invariant($"it must be from {minimum} to {maximum}");
    }

    /// <summary>The bound as the option's own type; null where it bounds nothing.</summary>
    private static object? Convert(object? bound, Type type) => bound switch
    {
        null or long.MaxValue => null,
        string text => TypeDescriptor.GetConverter(type).ConvertFromInvariantString(text),
        _ => System.Convert.ChangeType(bound, type, System.Globalization.CultureInfo.InvariantCulture),
    };
}
