using OrleansSessions.Responders.OpenAI;
using OrleansSessions.Responders.OpenAI.Failures;
using Xunit;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>What an upstream repeats of the key, of a header's secret or of the question is neither logged nor passed on.</summary>
public sealed class PrivateWordsTests
{
    private readonly PrivateWords _words = new(
        new OpenAIOptions
        {
            ApiKey = "sk-0123456789",
            Headers = { ["api-key"] = "abcdefgh1234", ["X-Custom"] = "Bearer t0k3n-t0k3n", ["X-Flag"] = "e" },
        },
        "my pass word is hunter2-hunter3");

    [Theory]
    [InlineData("sk-0123456789")]
    [InlineData("SK-0123456789")]
    [InlineData("bad_sk-0123456789")]
    [InlineData("0123456789")]
    [InlineData("abcdefgh1234")]
    [InlineData("no.abcdefgh1234")]
    [InlineData("t0k3n-t0k3n")]
    [InlineData("no.t0k3n-t0k3n")]
    [InlineData("hunter2-hunter3")]
    public void Name_ThatRepeatsPrivateWords_IsHidden(string name)
    {
        Assert.Null(_words.Hide(name));
        Assert.Null(_words.MediaType($"text/{name}"));
    }

    [Theory]
    [InlineData("server_error")]
    [InlineData("rate_limit_exceeded")]
    [InlineData("400")]
    public void Name_OfAnError_IsShown(string name) => Assert.Equal(name, _words.Hide(name));

    [Theory]
    [InlineData("text/event-stream", true)]
    [InlineData("application/problem+json", true)]
    [InlineData("image/png", true)]
    [InlineData("word/plain", false)]
    [InlineData("a whole sentence/x", false)]
    public void MediaType_IsShownIfItIsOne(string type, bool isShown) => Assert.Equal(isShown ? type : null, _words.MediaType(type));
}
