using System.ComponentModel;

namespace OrleansSessions.Configuration;

/// <summary>Defines the range of an option. This attribute is the only place where the limits are defined. Both bounds are inclusive.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class WithinAttribute : Attribute
{
    private readonly object? _minimum;
    private readonly object? _maximum;

    /// <summary>Limits an integer.</summary>
    public WithinAttribute(long minimum, long maximum = long.MaxValue) => (_minimum, _maximum) = (minimum, maximum);

    /// <summary>Limits a decimal number.</summary>
    public WithinAttribute(double minimum, double maximum) => (_minimum, _maximum) = (minimum, maximum);

    /// <summary>Limits a time, written as <c>hours:minutes:seconds</c>. Without <paramref name="maximum"/> there is no upper bound.</summary>
    public WithinAttribute(string minimum, string? maximum = null) => (_minimum, _maximum) = (minimum, maximum);

    /// <summary>Returns what the value must be, or null if it is allowed. Null is allowed: the option is not set.</summary>
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

    /// <summary>Converts the bound to the option's type. Null means no bound.</summary>
    private static object? Convert(object? bound, Type type) => bound switch
    {
        null or long.MaxValue => null,
        string text => TypeDescriptor.GetConverter(type).ConvertFromInvariantString(text),
        _ => System.Convert.ChangeType(bound, type, System.Globalization.CultureInfo.InvariantCulture),
    };
}
