using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace OrleansSessions.EndToEndTests.Documents;

/// <summary>Compiles samples as the SDK for web applications does: each block is a file of one project that has implicit usings.</summary>
internal static class SampleCompiler
{
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Net.Http.Json;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Hosting;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.Extensions.Configuration;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        // The usings that the Orleans packages add to a project that references them.
        global using Orleans;
        global using Orleans.Hosting;
        global using Orleans.Runtime;
        """;

    /// <summary>Writes the program to a file beside the assemblies that it needs. Blocks without a program are compiled as a library.</summary>
    public static string Compile(string name, IReadOnlyList<string> blocks)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        var files = blocks.Select((code, index) => CSharpSyntaxTree.ParseText(code, options, path: $"{name}/block{index + 1}.cs")).ToList();
        var isProgram = files.Any(IsProgram);
        var compilation = CSharpCompilation.Create(
            name,
            [
                .. files, CSharpSyntaxTree.ParseText(ImplicitUsings, options, path: "usings.cs"),
                CSharpSyntaxTree.ParseText(ApplicationParts(), options, path: "parts.cs"),
            ],
            References(),
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var path = Path.Combine(AppContext.BaseDirectory, $"{name}.dll");
        var result = compilation.Emit(path);

        Assert.True(
            result.Success && result.Diagnostics.All(diagnostic => diagnostic.Severity < DiagnosticSeverity.Warning),
            string.Join('\n', result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)));
        return path;
    }

    /// <summary>The programs in the blocks of a document: each block with statements is one, together with all blocks without. Else they are a library.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Programs(IReadOnlyList<string> blocks)
    {
        var byKind = blocks.ToLookup(code => IsProgram(CSharpSyntaxTree.ParseText(code)));
        return byKind[true].Any() ? [.. byKind[true].Select(program => (string[])[.. byKind[false], program])] : [blocks];
    }

    /// <summary>The arguments with which <c>dotnet</c> runs a program. It uses the assemblies and packages of this project, which has all that samples need.</summary>
    public static IEnumerable<string> RunArguments(string program)
    {
        var own = Path.ChangeExtension(typeof(SampleCompiler).Assembly.Location, null);
        return ["exec", "--runtimeconfig", $"{own}.runtimeconfig.json", "--depsfile", $"{own}.deps.json", program];
    }

    private static bool IsProgram(SyntaxTree file) => file.GetCompilationUnitRoot().Members.OfType<GlobalStatementSyntax>().Any();

    private static IEnumerable<string> Assemblies => ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);

    private static IEnumerable<MetadataReference> References() => Assemblies.Select(path => MetadataReference.CreateFromFile(path));

    /// <summary>
    /// Returns what Orleans' code generator adds to a program: the names of the assemblies that contain
    /// grains. Without it, a silo finds only the assemblies that are loaded before it is configured.
    /// </summary>
    private static string ApplicationParts() => string.Join('\n', Assemblies.Select(path => Path.GetFileNameWithoutExtension(path))
        .Where(name => name.StartsWith("Orleans", StringComparison.Ordinal) && !name.Contains("Test", StringComparison.Ordinal))
        .Select(name => $"[assembly: Orleans.ApplicationPart(\"{name}\")]"));
}
