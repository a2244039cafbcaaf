namespace OrleansSessions.Configuration;

/// <summary>Options that name the configuration section they are read from. Binding, validation and documentation use this name.</summary>
public interface ISectionOptions
{
    /// <summary>The path of the section, for example <c>Responder:Echo</c>.</summary>
    static abstract string Section { get; }

    /// <summary>
    /// Finds mistakes that <see cref="WithinAttribute"/> cannot express, such as values that contradict each other. Each mistake is a sentence
    /// that begins with the key and contains the value found.
    /// </summary>
    IEnumerable<string> FindMistakes() => [];
}
