namespace Embed;

/// <summary>A parcel of a customer.</summary>
internal sealed record Parcel(int Number, string State);

/// <summary>What the application knows. The responder reads it as any other part of the application does.</summary>
internal sealed class ParcelBook
{
    private readonly Dictionary<string, IReadOnlyList<Parcel>> _parcels = new()
    {
        ["alice"] = [new(17, "is on its way and arrives on Tuesday"), new(23, "waits at the post office")],
        ["bob"] = [new(42, "was delivered yesterday")],
    };

    public IReadOnlyList<Parcel> Of(string customer) => _parcels.GetValueOrDefault(customer) ?? [];
}

internal static class ParcelEndpoints
{
    public static void MapParcels(this WebApplication app) =>
        app.MapGet("/parcels", (ParcelBook book, HttpContext context) => book.Of(context.User.Identity!.Name!)).RequireAuthorization();
}
