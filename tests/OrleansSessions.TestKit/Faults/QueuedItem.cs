using OrleansSessions.Gateways;

namespace OrleansSessions.TestKit.Faults;

/// <summary>An item on its way into a queue.</summary>
/// <param name="Item">The item.</param>
/// <param name="Gateway">The instance id of the socket gateway that it is for.</param>
/// <param name="Chance">A number from 0 to 1. With the same seed, the same item has the same chance.</param>
public readonly record struct QueuedItem(GatewayItem Item, string Gateway, double Chance)
{
    public GatewayItemKind Kind => Item.Kind;
}
