using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Serialization;
using Orleans.Streams;
using OrleansSessions.Streaming.Caching;

namespace OrleansSessions.Streaming.Queues;

/// <summary>Creates the parts of one provider in one silo.</summary>
internal sealed class PushAdapterFactory : IQueueAdapterFactory, IQueueAdapterCache
{
    private readonly string _name;
    private readonly IServiceProvider _services;
    private readonly PushStreamOptions _options;
    private readonly PushStreamMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly LocalQueueMapper _mapper;
    private readonly PushQueue[] _queues;

    private PushAdapterFactory(IServiceProvider services, string name)
    {
        _name = name;
        _services = services;
        _options = services.GetRequiredService<IOptionsMonitor<PushStreamOptions>>().Get(name);
        _metrics = services.GetRequiredService<PushStreamMetrics>();
        _time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        _mapper = new LocalQueueMapper(name, _options.QueueCount);
        _queues = new PushQueue[_options.QueueCount];
        for (var index = 0; index < _queues.Length; index++)
        {
            _queues[index] = new PushQueue(name, _mapper[index], _options, _time, _metrics, services.GetRequiredService<ILogger<PushQueue>>());
        }

        _metrics.ObserveWaiting(name, () => _queues.Sum(static queue => (long)queue.Count));
    }

    public IReadOnlyList<PushQueue> Queues => _queues;

    public static PushAdapterFactory Create(IServiceProvider services, string name) => new(services, name);

    public Task<IQueueAdapter> CreateAdapter() =>
        Task.FromResult<IQueueAdapter>(new PushAdapter(_name, _mapper, _queues, _services.GetRequiredService<DeepCopier>()));

    public IQueueAdapterCache GetQueueAdapterCache() => this;

    public IQueueCache CreateQueueCache(QueueId queueId) =>
        _queues[queueId.GetNumericId()].Open(new PerStreamCache(_name, _options, _time, _metrics, _services.GetRequiredService<ILogger<PerStreamCache>>()));

    public IStreamQueueMapper GetStreamQueueMapper() => _mapper;

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) => Task.FromResult<IStreamFailureHandler>(new NoOpStreamDeliveryFailureHandler());
}
