using System.Text;

namespace OrleansSessions.Benchmarks.Load;

/// <summary>A server sent a wrong answer or none. The run ends, because its figures would be meaningless.</summary>
internal sealed class WrongAnswerException(string message, Exception? inner = null) : Exception(message, inner)
{
    private const int ShownBytes = 400;

    public static WrongAnswerException For(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> got) =>
        new($"expected {Show(expected)}, got {Show(got)}");

    private static string Show(ReadOnlySpan<byte> bytes) => $"\"{Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, ShownBytes)])}\"";
}
