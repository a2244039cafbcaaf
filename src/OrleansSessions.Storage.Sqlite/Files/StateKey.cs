using System.Text;

namespace OrleansSessions.Storage.Sqlite.Files;

/// <summary>What a state is stored under: the grain's type and key, which can be any bytes, and the name of the state, in UTF-8.</summary>
internal readonly record struct StateKey(ReadOnlyMemory<byte> Grain, ReadOnlyMemory<byte> Name)
{
    public static StateKey Of(string name, GrainId grain)
    {
        // One array for both. Orleans ends the type at the first '/', so two grains never have the same bytes.
        var type = grain.Type.AsSpan();
        var key = grain.Key.AsSpan();
        var grainBytes = type.Length + 1 + key.Length;
        var bytes = new byte[grainBytes + Encoding.UTF8.GetByteCount(name)];
        type.CopyTo(bytes);
        bytes[type.Length] = (byte)'/';
        key.CopyTo(bytes.AsSpan(type.Length + 1));
        Encoding.UTF8.GetBytes(name, bytes.AsSpan(grainBytes));
        return new(bytes.AsMemory(0, grainBytes), bytes.AsMemory(grainBytes));
    }
}
