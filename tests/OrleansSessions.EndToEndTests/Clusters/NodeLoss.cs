using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>How a test loses a node.</summary>
public enum NodeLoss
{
    /// <summary>Its process is killed: its connections break at once.</summary>
    Kill,

    /// <summary>Its process hangs: its connections stay open and silent.</summary>
    Freeze,
}

internal static class NodeLosses
{
    public static void Lose(this ServerProcess node, NodeLoss loss)
    {
        if (loss == NodeLoss.Kill)
        {
            node.Kill();
        }
        else
        {
            node.Freeze();
        }
    }
}
