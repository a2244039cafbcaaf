using System.Collections;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.Tests.Contracts;

/// <summary>
/// Holds the bytes of everything that is stored or crosses between nodes, because nodes of two versions share them during an upgrade. A failure here means
/// that an earlier version cannot read this one, or the other way round. To accept a change, run these tests once with the environment variable
/// <c>REWRITE_STORED_FORMS=1</c> and look at the difference in <c>StoredForms.txt</c>: lines may be added, but an earlier version must still read them.
/// </summary>
public sealed class StoredFormTests
{
    private const int BytesPerLine = 64;

    private static readonly string Path = System.IO.Path.Combine(RepositoryFolder.Path, "tests", "OrleansSessions.Tests", "Contracts", "StoredForms.txt");

    private static readonly Serializer Serializer =
        new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    /// <summary>A number in a field six after the last one, and a text in the next.</summary>
    private static readonly byte[] UnknownFields = [0x06, 0x03, 0x41, 0x03, (byte)'x'];

    private static readonly Lazy<Dictionary<string, byte[]>> Stored = new(() =>
    {
        if (Environment.GetEnvironmentVariable("REWRITE_STORED_FORMS") == "1")
        {
            Rewrite();
        }

        return Read();
    });

    public static TheoryData<string> Names => [.. StoredForms.All.Select(form => form.Name)];

    public static TheoryData<string> Requests => [.. StoredForms.All.Where(form => form.Value is SessionRequest).Select(form => form.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AValue_IsWrittenAsItIsStored(string name) =>
        Assert.Equal(Convert.ToHexString(Stored.Value[name]), Convert.ToHexString(Form(name).Write(Serializer)));

    [Theory]
    [MemberData(nameof(Names))]
    public void AStoredValue_IsReadWhole(string name) =>
        Assert.Equal(Print(Form(name).Value), Print(Form(name).Read(Serializer, Stored.Value[name])));

    [Theory]
    [MemberData(nameof(Requests))]
    public void ARequest_WithFieldsOfALaterVersion_IsRead(string name)
    {
        var bytes = Stored.Value[name];
        byte[] later = [.. bytes[..^1], .. UnknownFields, bytes[^1]];

        Assert.Equal(Print(Form(name).Value), Print(Form(name).Read(Serializer, later)));
    }

    [Fact]
    public void WhatIsStored_AndWhatIsTestedHere_AreTheSame() => Assert.Equal(StoredForms.All.Select(form => form.Name), Stored.Value.Keys);

    [Fact]
    public void EveryGrainCall_TakesOneRequest_WhoseFormIsStored() => Assert.All(
        typeof(ISessionGrain).Assembly.GetTypes().Where(type => type.IsInterface && type.IsAssignableTo(typeof(IGrain))).SelectMany(type => type.GetMethods()),
        method => Assert.Contains(Assert.Single(method.GetParameters()).ParameterType, StoredForms.All.Select(form => form.Value.GetType())));

    private static StoredForm Form(string name) => StoredForms.All.Single(form => form.Name == name);

    private static void Rewrite()
    {
        var lines = StoredForms.All.SelectMany(form => Convert.ToHexString(form.Write(Serializer)).Chunk(2 * BytesPerLine).Select(line => new string(line)).Prepend($"# {form.Name}"));
        File.WriteAllText(Path, string.Join('\n', lines) + '\n');
    }

    private static Dictionary<string, byte[]> Read() => File.ReadAllText(Path).Split("# ", StringSplitOptions.RemoveEmptyEntries)
        .Select(form => form.Split('\n')).ToDictionary(lines => lines[0], lines => Convert.FromHexString(string.Concat(lines.Skip(1))));

    /// <summary>The values of all properties, to the last level.</summary>
    private static string Print(object? value) => value switch
    {
        null => "null",
        string or SiloAddress or ValueType => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!,
        IEnumerable items => $"[{string.Join(", ", items.Cast<object>().Select(Print))}]",
        _ => $"{{{string.Join(", ", value.GetType().GetProperties().Select(property => $"{property.Name} = {Print(property.GetValue(value))}"))}}}",
    };
}
