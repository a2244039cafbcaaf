using Orleans.Providers.Streams.Common;
using Orleans.Streams;

namespace OrleansSessions.Streaming.Queues;

/// <summary>One item on its way. Never changes once its queue has numbered it, so that one process hands the same object to all its subscribers.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.PushItem")]
internal abstract class PushItem : IBatchContainer
{
    [NonSerialized]
    private StreamSequenceToken? _token;

    /// <summary>Stays in the silo: over the network, a delivery says once what stream it is of.</summary>
    [field: NonSerialized]
    public StreamId StreamId { get; init; }

    /// <summary>Counts the items of one queue of one silo: it says nothing about the order between silos.</summary>
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
