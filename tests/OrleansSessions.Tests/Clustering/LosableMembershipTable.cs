using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansSessions.Tests.Clustering;

/// <summary>What a silo reads in its membership table.</summary>
public enum TableRead
{
    /// <summary>What the table holds.</summary>
    Whole,

    /// <summary>No row, as after the store has come back empty.</summary>
    Empty,

    /// <summary>An exception until the table is created again, then no row: how Redis behaves.</summary>
    Gone,

    /// <summary>An exception for whatever is done.</summary>
    Unreachable,
}

/// <summary>Stands before a silo's membership table, and loses it as the test wants.</summary>
public class LosableMembershipTable : DispatchProxy
{
    private Func<IServiceProvider, object> _create = null!;
    private IMembershipTable? _inner;
    private int _reads;

    /// <summary>What each read gives from now on.</summary>
    public TableRead Read { get; set; }

    /// <summary>How many reads there were.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Takes the place of the table that the silo's clustering registered.</summary>
    public static LosableMembershipTable Wrap(IServiceCollection services)
    {
        var registered = services.Last(service => service.ServiceType == typeof(IMembershipTable));
        var proxy = Create<IMembershipTable, LosableMembershipTable>();
        var table = (LosableMembershipTable)proxy;
        table._create = registered.ImplementationFactory ?? (provider => ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!));
        services.Remove(registered);
        services.AddSingleton(provider =>
        {
            table._inner = (IMembershipTable)table._create(provider);
            return proxy;
        });
        return table;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case "InitializeMembershipTableAsync" when Read == TableRead.Gone:
                Read = TableRead.Empty;
                return Task.CompletedTask;
            case "InitializeMembershipTableAsync" when Read == TableRead.Unreachable:
                return Task.FromException(new IOException("The store is away."));
            case "ReadAllAsync":
                Interlocked.Increment(ref _reads);
                return Read switch
                {
                    TableRead.Empty => Task.FromResult(new MembershipTableData([], new TableVersion(0, "0"))),
                    TableRead.Gone or TableRead.Unreachable => Task.FromException<MembershipTableData>(new IOException("The table cannot be read.")),
                    _ => targetMethod.Invoke(_inner, args),
                };
            default:
                return targetMethod.Invoke(_inner, args);
        }
    }
}
