using System.Reflection;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Configuration;

/// <summary>Validates an options class by its attributes and its <see cref="ISectionOptions.FindMistakes"/>, and reports all mistakes at once.</summary>
internal sealed class SectionValidator<T> : IValidateOptions<T>
    where T : class, ISectionOptions
{
    public ValidateOptionsResult Validate(string? name, T options)
    {
        var mistakes = typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .Select(property => (property.Name, Value: property.GetValue(options), Fault: FindFault(property, options)))
            .Where(found => found.Fault is not null)
            .Select(found => $"{T.Section}:{found.Name} is {Format(found.Value)}; {found.Fault}.")
            .Concat(options.FindMistakes()).ToList();
        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }

    private static string? FindFault(PropertyInfo property, T options)
    {
        var value = property.GetValue(options);
        return value is Enum && !Enum.IsDefined(property.PropertyType, value)
            ? $"it must be one of: {string.Join(", ", Enum.GetNames(property.PropertyType))}"
            : property.GetCustomAttribute<WithinAttribute>()?.FindFault(value);
    }

    private static string Format(object? value) => value switch
    {
        Enum => $"'{value}'",
        IFormattable formattable => formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value?.ToString() ?? "",
    };
}
