using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace OrleansSessions.Streaming.Caching;

/// <summary>An item in a queue. It does not change after its queue has numbered it, so all subscribers in one process receive the same object.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.PushItem")]
internal abstract class PushItem : IBatchContainer
{
    [NonSerialized]
    private StreamSequenceToken? _token;

    /// <summary>Not serialized: a delivery over the network names its stream once.</summary>
    [field: NonSerialized]
    public StreamId StreamId { get; init; }

    /// <summary>The number of the item in one queue of one silo. It says nothing about the order between silos.</summary>
    [Id(0)]
    public long Number { get; set; }

    [Id(1)]
    public Dictionary<string, object>? Context { get; init; }

    public StreamSequenceToken SequenceToken => _token ??= new EventSequenceTokenV2(Number);

    public abstract IEnumerable<Tuple<TEvent, StreamSequenceToken>> GetEvents<TEvent>();

    public bool ImportRequestContext()
    {
        if (Context is null)
        {
            return false;
        }

        RequestContextExtensions.Import(Context);
        return true;
    }
}

/// <inheritdoc />
[GenerateSerializer, Immutable, Alias("OrleansSessions.PushItem`1")]
internal sealed class PushItem<T> : PushItem
{
    [Id(0)]
    public T? Item { get; init; }

    public override IEnumerable<Tuple<TEvent, StreamSequenceToken>> GetEvents<TEvent>() =>
        [new Tuple<TEvent, StreamSequenceToken>((TEvent)(object)Item!, SequenceToken)];
}
