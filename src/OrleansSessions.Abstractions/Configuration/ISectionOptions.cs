namespace OrleansSessions.Configuration;

/// <summary>Options that know the section of the configuration they are read from. Binding, checks and documentation follow from it.</summary>
public interface ISectionOptions
{
    /// <summary>The path of the section, for example <c>Responder:Echo</c>.</summary>
    static abstract string Section { get; }

    /// <summary>
    /// Finds what <see cref="WithinAttribute"/> cannot express: values that do not fit together. Each mistake is a sentence that begins
    /// with the key and contains the value found.
    /// </summary>
    IEnumerable<string> FindMistakes() => [];
}
