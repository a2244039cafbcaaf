using System.Collections.Concurrent;

namespace OrleansSessions.Grains.Sessions;

/// <summary>The names of models as tags of metrics. A responder may name as many as it likes, and a tag must have few values.</summary>
internal sealed class ModelTags
{
    public const int MaxModels = 100;

    private const string Other = "other";

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly Lock _adding = new();

    /// <summary>The name itself for each of the first <see cref="MaxModels"/> models, and <c>other</c> for those that come later.</summary>
    public string TagOf(string model)
    {
        if (_known.TryGetValue(model, out var tag))
        {
            return tag;
        }

        lock (_adding)
        {
            return _known.Count < MaxModels ? _known.GetOrAdd(model, model) : Other;
        }
    }
}
