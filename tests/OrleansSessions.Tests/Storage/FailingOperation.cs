using OrleansSessions.Storage.Sqlite.Files;
using OrleansSessions.Storage.Sqlite.Writing;

namespace OrleansSessions.Tests.Storage;

/// <summary>An operation that fails in the middle of its transaction.</summary>
internal sealed class FailingOperation(Exception fault) : StateOperation<bool>
{
    protected override bool Execute(StateTable states) => throw fault;
}
