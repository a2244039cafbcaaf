using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OrleansSessions.Grains.Questions;

/// <summary>The ids of questions that are not in memory, as short as the record of a session needs them.</summary>
internal static class QuestionIds
{
    /// <summary>The first 8 bytes of the id's SHA-256. It is stored, so it must never change. Two ids with one hash cost a needless read, and nothing else.</summary>
    public static long Hash(string id) => BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(id)));
}
