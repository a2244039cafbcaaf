using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>A few services by type, and one of each type by key. It is made for every process of every case, so it must be cheap.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is no collection for its users.")]
internal sealed class ServiceTable(IServiceProvider? parent = null) : IKeyedServiceProvider
{
    private readonly Dictionary<Type, object> _services = [];

    public object this[Type type]
    {
        set => _services[type] = value;
    }

    public object? GetService(Type serviceType) => _services.GetValueOrDefault(serviceType) ?? parent?.GetService(serviceType);

    public object? GetKeyedService(Type serviceType, object? serviceKey) => GetService(serviceType);

    public object GetRequiredKeyedService(Type serviceType, object? serviceKey) =>
        GetService(serviceType) ?? throw new NotSupportedException(serviceType.Name);
}
