using System.ComponentModel;

namespace OrleansSessions.Server.Configuration;

/// <summary>Tells whether a written value can become a value of an option's type.</summary>
internal static class ValueFormat
{
    /// <returns>What it must be instead, or null where it is fine. Nothing at all is fine: the default holds.</returns>
    public static string? FindFault(Type type, string? value)
    {
        if (string.IsNullOrEmpty(value) || type == typeof(string))
        {
            return null;
        }

        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Contains(value, StringComparer.OrdinalIgnoreCase) ? null : $"it must be one of: {string.Join(", ", Enum.GetNames(type))}";
        }

        // A bare number would be read as days, which nobody means.
        var isBareNumber = type == typeof(TimeSpan) && !value.Contains(':', StringComparison.Ordinal) && value != "0";
        return !isBareNumber && CanConvert(type, value) ? null : $"it must be {Describe(type)}";
    }

    private static bool CanConvert(Type type, string value)
    {
        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromInvariantString(value) is not null;
        }
        // The converters wrap what they catch in bare exceptions; whatever they throw, the value is not one of that type.
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return false;
        }
    }

    private static string Describe(Type type) =>
        type == typeof(TimeSpan) ? "a time as hours:minutes:seconds, 00:01:30 say"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : "a number";
}
