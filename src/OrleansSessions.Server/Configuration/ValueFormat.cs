using System.ComponentModel;

namespace OrleansSessions.Server.Configuration;

/// <summary>Checks whether a text can be converted to the type of an option.</summary>
internal static class ValueFormat
{
    /// <returns>What the value must be, or null if it is valid. An empty value is valid: the default applies.</returns>
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

        // .NET reads a plain number as days, which is never intended.
        var isBareNumber = type == typeof(TimeSpan) && !value.Contains(':', StringComparison.Ordinal) && value != "0";
        return !isBareNumber && CanConvert(type, value) ? null : $"it must be {Describe(type)}";
    }

    private static bool CanConvert(Type type, string value)
    {
        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromInvariantString(value) is not null;
        }
        // The converters wrap exceptions in plain Exception instances. Whatever they throw, the value does not have that type.
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return false;
        }
    }

    private static string Describe(Type type) =>
        type == typeof(TimeSpan) ? "a time in the form hours:minutes:seconds, for example 00:01:30"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "a whole number"
        : "a number";
}
