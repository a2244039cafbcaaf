using Orleans.Storage;
using Xunit;

namespace OrleansSessions.Tests.Storage;

/// <summary>Orleans' own storage in memory: what the contract asks for is what Orleans does.</summary>
public sealed class MemoryStorageContractTests(StorageCluster cluster) : GrainStorageContract, IClassFixture<StorageCluster>
{
    protected override IGrainStorage Storage => cluster["memory"];
}

public sealed class SqliteStorageContractTests(StorageCluster cluster) : GrainStorageContract, IClassFixture<StorageCluster>
{
    protected override IGrainStorage Storage => cluster["file"];
}
