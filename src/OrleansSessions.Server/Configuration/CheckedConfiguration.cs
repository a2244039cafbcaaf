using System.Collections;
using System.Reflection;

namespace OrleansSessions.Server.Configuration;

/// <summary>
/// Collects the valid values of our sections, and an error for each invalid one: an unknown key, or a value of the wrong type.
/// The valid values are still bound, so that the validators find the remaining mistakes in the same run.
/// </summary>
internal sealed class CheckedConfiguration
{
    /// <summary>Top-level keys that the framework reads.</summary>
    private static readonly HashSet<string> FrameworkKeys = new(StringComparer.OrdinalIgnoreCase)
    {
        "Logging", "Kestrel", "AllowedHosts", "urls", "http_ports", "https_ports", "environment", "contentRoot", "applicationName",
        "shutdownTimeoutSeconds", "detailedErrors", "preferHostingUrls", ConfigFile.Key, "OTEL",
    };

    private readonly List<string> _errors = [];
    private readonly Dictionary<string, string?> _good = new(StringComparer.OrdinalIgnoreCase);

    private CheckedConfiguration(IReadOnlyList<KnownSection> sections) => Sections = sections;

    public IReadOnlyList<KnownSection> Sections { get; }

    public IReadOnlyList<string> Errors => _errors;

    /// <summary>The valid values, to which options are bound.</summary>
    public IConfiguration Values { get; private set; } = null!;

    /// <param name="own">The sources in which an unknown top-level key is also a mistake.</param>
    public static CheckedConfiguration Check(IConfiguration all, IConfiguration own, IReadOnlyList<KnownSection> sections)
    {
        var result = new CheckedConfiguration(sections);
        result.CheckTop(own);
        foreach (var section in sections)
        {
            result.CheckSection(section, all.GetSection(section.Path));
        }

        result.Values = new ConfigurationBuilder().AddInMemoryCollection(result._good).Build();
        return result;
    }

    private void CheckTop(IConfiguration own)
    {
        var known = Sections.Select(section => section.Path).Where(path => !path.Contains(':', StringComparison.Ordinal)).ToList();
        foreach (var child in own.GetChildren())
        {
            if (!known.Contains(child.Key, StringComparer.OrdinalIgnoreCase) && !FrameworkKeys.Contains(child.Key))
            {
                _errors.Add($"{child.Key} is not a known section or option; known sections are: {string.Join(", ", known)}.");
            }
        }
    }

    private void CheckSection(KnownSection section, IConfigurationSection values)
    {
        var properties = section.Options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite).ToList();
        foreach (var child in values.GetChildren())
        {
            var path = $"{section.Path}:{child.Key}";
            var property = properties.Find(property => property.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            if (property is not null)
            {
                CheckValue($"{section.Path}:{property.Name}", property.PropertyType, child);
            }
            else if (!Sections.Any(other => other.Path.Equals(path, StringComparison.OrdinalIgnoreCase)))
            {
                _errors.Add($"{path} is not a known key; known keys are: {string.Join(", ", KeysOf(section, properties))}.");
            }
        }
    }

    private IEnumerable<string> KeysOf(KnownSection section, List<PropertyInfo> properties) => properties.Select(property => property.Name)
        .Concat(Sections.Where(other => other.Path.StartsWith(section.Path + ":", StringComparison.Ordinal))
            .Select(other => other.Path[(section.Path.Length + 1)..]));

    private void CheckValue(string path, Type type, IConfigurationSection section)
    {
        if (type != typeof(string) && type.IsAssignableTo(typeof(IEnumerable)))
        {
            CheckItems(path, type, section);
        }
        else if (section.GetChildren().Any())
        {
            _errors.Add($"{path} contains other keys; it must be a single value.");
        }
        else if (ValueFormat.FindFault(type, section.Value) is { } fault)
        {
            _errors.Add($"{path} is '{section.Value}'; {fault}.");
        }
        else if (!string.IsNullOrEmpty(section.Value) || type == typeof(string))
        {
            _good[path] = section.Value ?? "";
        }
    }

    private static bool HasNames(Type type) => type.IsGenericType && type.GetGenericArguments().Length == 2;

    private void CheckItems(string path, Type type, IConfigurationSection section)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            // Where values have names they can be secrets, so the value is not repeated.
            _errors.Add(HasNames(type)
                ? $"{path} is a single value; it must have names ({path}:NAME)."
                : $"{path} is '{section.Value}'; it must be a list ({path}:0, {path}:1 and so on).");
        }

        var itemType = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[^1];
        foreach (var item in section.GetChildren())
        {
            CheckValue($"{path}:{item.Key}", itemType, item);
        }
    }
}
