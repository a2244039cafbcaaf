using System.Globalization;
using System.Reflection;
using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Documents;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Schemas;
using Xunit;

namespace OrleansSessions.Tests.Protocol;

public sealed partial class DocumentTests
{
    [Fact]
    public void ErrorTable_HasEveryRowOfTheCode_AndNoOther()
    {
        var rows = ProtocolDocument.Table("code", "HTTP", "retryable", "closes", "at attach", "if repeated")
            .Select(cells => (Code: cells[0], Http: cells[1], Retryable: cells[2], Closes: cells[3], AtAttach: cells[4]));

        Assert.Equal(
            WireErrors.All.Select(error => (
                error.Code, error.HttpStatus.ToString(CultureInfo.InvariantCulture), error.IsRetryable ? "yes" : "no",
                error.CloseCode?.ToString(CultureInfo.InvariantCulture) ?? "-", error.AttachCloseCode?.ToString(CultureInfo.InvariantCulture) ?? "-")),
            rows);
    }

    [Fact]
    public void CloseCodeTable_HasEveryConstantOfTheCode_AndNoOther() =>
        Assert.Equal(
            Constants<int>(typeof(CloseCodes)).OrderBy(constant => constant.Value)
                .Select(constant => (constant.Value.ToString(CultureInfo.InvariantCulture), constant.Name)),
            ProtocolDocument.Table("code", "name", "client", "when").Select(cells => (cells[0], cells[1])));

    [Fact]
    public void CloseCodeTable_TellsClientsWhatTheRangesPromise()
    {
        foreach (var cells in ProtocolDocument.Table("code", "name", "client", "when"))
        {
            var code = int.Parse(cells[0], CultureInfo.InvariantCulture);
            if (code >= 4000)
            {
                Assert.Equal(code < 4100 ? "come back" : "stop", cells[2]);
            }
        }
    }

    [Fact]
    public void ReasonTable_HasEveryConstantOfTheCode_AndNoOther() =>
        Assert.Equal(
            Constants<string>(typeof(DoneReasons)).Select(constant => constant.Value).Order(),
            ProtocolDocument.Table("reason", "status", "when").Select(cells => cells[0]).Order());

    [Fact]
    public void StatusTable_HasEveryFinalStatus_AndNoOther()
    {
        var final = Enum.GetValues<QuestionStatus>().Where(status => status.IsFinal()).Select(status => status.ToWire()).ToArray();

        Assert.Equal(final.Order(), ProtocolDocument.Table("status", "meaning").Select(cells => cells[0]).Order());
        Assert.All(ProtocolDocument.Table("reason", "status", "when"), cells => Assert.Contains(cells[1], final));
    }

    [Fact]
    public void BadInputTable_NamesOnlyKnownCodesAndCloseCodes()
    {
        var closeCodes = Constants<int>(typeof(CloseCodes)).Select(constant => constant.Value.ToString(CultureInfo.InvariantCulture)).ToHashSet();
        foreach (var cells in ProtocolDocument.Table("input", "answer", "socket"))
        {
            var code = cells[1].Split('`')[0];
            Assert.True(code == "-" || WireErrors.Find(code) is not null, cells[1]);
            Assert.True(cells[2] is "open" or "none" || closeCodes.Contains(cells[2]), cells[2]);
        }
    }

    [Fact]
    public void Schema_KnowsEveryErrorCode_AndEveryReason()
    {
        using var schema = JsonDocument.Parse(FrameSchema.Text);
        var definitions = schema.RootElement.GetProperty("$defs");

        Assert.Equal(WireErrors.All.Select(error => error.Code), Strings(definitions.GetProperty("errorCode").GetProperty("enum")));
        Assert.Equal(
            Constants<string>(typeof(DoneReasons)).Select(constant => constant.Value).Order(),
            Strings(definitions.GetProperty("reason").GetProperty("examples")).Order());
    }

    [Fact]
    public void AsyncApi_RefersOnlyToDefinitionsThatExist()
    {
        using var schema = JsonDocument.Parse(FrameSchema.Text);
        using var document = JsonDocument.Parse(ProtocolDocument.Read("docs/asyncapi.json"));
        foreach (var reference in References(document.RootElement))
        {
            var (file, path) = (reference.Split('#')[0], reference.Split("#/")[1]);
            var target = file switch
            {
                "" => document.RootElement,
                "./schemas/socket.schema.json" => schema.RootElement,
                _ => throw new InvalidOperationException($"A reference to another document: {reference}"),
            };
            foreach (var step in path.Split('/'))
            {
                Assert.True(target.TryGetProperty(step, out target), $"{reference} leads nowhere.");
            }
        }
    }

    [Theory]
    [InlineData("| what fails |")]
    [InlineData("| what | kept until |")]
    public void TablesOfTests_NameOnlyTestsThatExist(string header)
    {
        var tests = string.Concat(
            Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Path, "tests"), "*Tests*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var names = File.ReadLines(Path.Combine(RepositoryFolder.Path, "docs", "architecture.md"))
            .SkipWhile(line => !line.StartsWith(header, StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|')[4].Trim().Trim('`')).ToArray();

        Assert.NotEmpty(names);
        Assert.All(names.Where(name => name != "-"), name => Assert.Contains($" {name}(", tests, StringComparison.Ordinal));
    }

    private static IEnumerable<(string Name, T Value)> Constants<T>(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral && field.FieldType == typeof(T))
            .Select(field => (field.Name, (T)field.GetRawConstantValue()!));

    private static IEnumerable<string> Strings(JsonElement array) => array.EnumerateArray().Select(item => item.GetString()!);

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(
            field => field.NameEquals("$ref") ? [field.Value.GetString()!] : References(field.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
