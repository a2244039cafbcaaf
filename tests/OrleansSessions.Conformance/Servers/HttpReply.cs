using System.Net.Http.Headers;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Servers;

/// <summary>A reply over HTTP.</summary>
/// <param name="Body">The JSON object, or null if the reply has none.</param>
internal sealed record HttpReply(int Status, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, Frame? Body)
{
    public Frame Expect(int status)
    {
        Check.That(Status == status, $"the status {status}", this);
        return Body ?? throw new CaseFailedException($"a JSON object with the status {status}", "none");
    }

    /// <summary>Holds a refusal against the row of its code in section 8, and against the form of section 11.</summary>
    public Frame ExpectProblem(WireError error)
    {
        var body = Expect(error.HttpStatus);
        Check.Equal("application/problem+json", ContentHeaders.ContentType?.MediaType, "the content type of a problem document");
        Check.Equal(error.Code, body.Text("code"), "the code");
        Check.Equal(error.HttpStatus, body.Number("status"), "'status' of the problem document");
        Check.Equal(error.IsRetryable, body.Flag("retryable"), "retryable");
        Check.That(!string.IsNullOrEmpty(body.Text("title")) && !string.IsNullOrEmpty(body.Text("detail")), "a title and a detail", body);
        return body;
    }

    /// <summary>Like <see cref="ExpectProblem"/>, where the protocol leaves more than one code.</summary>
    public Frame ExpectAnyProblem(params string[] codes) => ExpectProblem(
        codes.Contains(Body?.Text("code")) ? WireErrors.Find(Body!.Text("code")!)! : WireErrors.Find(codes[0])!);

    public override string ToString() => $"{Status} {Body}";
}
