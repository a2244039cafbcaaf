using System.Text;

namespace OrleansSessions.Fuzz.Inputs;

/// <summary>Makes random inputs, and damages good ones.</summary>
internal static class Mutator
{
    private const int MaxChanges = 6;

    public static T Pick<T>(this Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    /// <summary>True in this share of the cases.</summary>
    public static bool Chance(this Random random, double share) => random.NextDouble() < share;

    public static byte[] Bytes(this Random random, int maxLength)
    {
        var bytes = new byte[random.Next(maxLength + 1)];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A message of a client: an example as it is or damaged, an object of known fields with odd values, or noise.</summary>
    public static byte[] Message(this Random random) => random.Next(20) switch
    {
        0 => random.Bytes(60),
        <= 2 => random.Pick(Corpus.Messages),
        <= 10 => random.Damage(random.Pick(Corpus.Messages)),
        <= 12 => random.Damage(random.Pick(Corpus.Everything)),
        <= 17 => random.Object(depth: 2),
        _ => random.Damage(random.Object(depth: 3)),
    };

    /// <summary>Changes one to six places.</summary>
    public static byte[] Damage(this Random random, ReadOnlySpan<byte> input)
    {
        var bytes = new List<byte>(input.Length + 64);
        bytes.AddRange(input);
        for (var changes = random.Next(1, MaxChanges + 1); changes > 0; changes--)
        {
            random.Change(bytes);
        }

        return [.. bytes];
    }

    private static void Change(this Random random, List<byte> bytes)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(1, 16), bytes.Count - at);
        switch (random.Next(9))
        {
            case 0 when length > 0: bytes[at] = (byte)random.Next(256); break;
            case 1 when length > 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 2: bytes.RemoveRange(at, length); break;
            case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            case 4: bytes.InsertRange(at, random.Pick(Corpus.Fragments)); break;
            case 5: bytes.InsertRange(at, Encoding.UTF8.GetBytes(random.Pick(Corpus.Values))); break;
            case 6: bytes.InsertRange(at, Encoding.UTF8.GetBytes($"\"{random.Pick(Corpus.FieldNames)}\":")); break;
            case 7: bytes.RemoveRange(at, bytes.Count - at); break;
            default: bytes.InsertRange(at, random.Pick(Corpus.Messages)); break;
        }
    }

    /// <summary>A JSON object with up to seven fields, most of them known ones.</summary>
    private static byte[] Object(this Random random, int depth)
    {
        var text = new StringBuilder();
        random.AppendObject(text, depth);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void AppendObject(this Random random, StringBuilder text, int depth)
    {
        text.Append('{');
        for (var fields = random.Next(8); fields > 0; fields--)
        {
            text.Append('"').Append(random.Pick(Corpus.FieldNames)).Append('"').Append(random.Chance(0.1) ? " : " : ":");
            if (depth > 0 && random.Chance(0.15))
            {
                random.AppendObject(text, depth - 1);
            }
            else
            {
                text.Append(random.Pick(Corpus.Values));
            }

            text.Append(fields > 1 ? "," : "");
        }

        text.Append('}');
    }
}
