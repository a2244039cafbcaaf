using System.Text;
using OrleansSessions.Fuzz.Inputs;
using OrleansSessions.Protocol;

namespace OrleansSessions.Fuzz.Messages;

/// <summary>Gives each input to every parser of text from clients.</summary>
public sealed class MessageTarget : IFuzzTarget
{
    public string Kind => "messages";

    public bool IsRepeatable => true;

    public int Parallelism => Environment.ProcessorCount;

    public byte[] Create(Random random) => random.Next(12) switch
    {
        0 => Position(random),
        1 => Id(random),
        _ => random.Message(),
    };

    public ValueTask<string?> CheckAsync(byte[] input)
    {
        using var reference = JsonReference.Of(input);
        return new(
            ClientMessageChecks.Find(input, WireProfile.V1, reference)
            ?? ClientMessageChecks.Find(input, WireProfile.Basic, reference)
            ?? ExternalAnswerChecks.Find(input, reference)
            ?? TextChecks.Find(Encoding.UTF8.GetString(input))
            ?? TextChecks.Find(Encoding.Latin1.GetString(input)));
    }

    private static byte[] Position(Random random)
    {
        var text = new StringBuilder();
        for (var parts = random.Next(1, 4); parts > 0; parts--)
        {
            text.Append(random.Pick(["epoch=", "after=", "after", "epoch", "question="])).Append(random.Pick(Corpus.Values).Trim('"'));
            text.Append(random.Chance(0.1) ? ';' : '&');
        }

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        return random.Chance(0.3) ? random.Damage(bytes) : bytes;
    }

    private static byte[] Id(Random random)
    {
        const string Alphabet = "AZaz09._~:@- /?#%ü\0";
        var id = new StringBuilder();
        for (var length = random.Pick([0, 1, 2, 3, 63, 64, 65, 127, 128, 129]); length > 0; length--)
        {
            id.Append(Alphabet[random.Next(random.Chance(0.1) ? Alphabet.Length : 12)]);
        }

        return Encoding.UTF8.GetBytes(id.ToString());
    }
}
