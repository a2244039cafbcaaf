using System.Buffers.Binary;
using OrleansSessions.Grains.Questions;

namespace OrleansSessions.Grains.Records;

/// <summary>The pages of a session as its record holds them: for each the number of its questions, its bytes, and 8 bytes an id.</summary>
internal static class PageIndexForm
{
    public static byte[] Write(IReadOnlyList<EndedPage> pages)
    {
        var bytes = new List<byte>();
        Span<byte> id = stackalloc byte[sizeof(long)];
        foreach (var page in pages)
        {
            VariableNumber.Write(bytes, page.Ids.Length);
            VariableNumber.Write(bytes, page.Bytes);
            foreach (var hash in page.Ids)
            {
                BinaryPrimitives.WriteInt64LittleEndian(id, hash);
                bytes.AddRange(id);
            }
        }

        return [.. bytes];
    }

    public static PageIndex Read(int firstPage, ReadOnlySpan<byte> bytes)
    {
        var pages = new List<EndedPage>();
        while (bytes.Length > 0)
        {
            var ids = new long[VariableNumber.Read(ref bytes)];
            var kept = VariableNumber.Read(ref bytes);
            for (var i = 0; i < ids.Length; i++)
            {
                ids[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes);
                bytes = bytes[sizeof(long)..];
            }

            pages.Add(new(firstPage + pages.Count, ids, kept));
        }

        return new(firstPage, pages);
    }
}
