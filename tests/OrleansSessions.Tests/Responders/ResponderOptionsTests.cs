using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;
using Xunit;

namespace OrleansSessions.Tests.Responders;

public sealed class ResponderOptionsTests
{
    [Fact]
    public void Name_ThatIsNotRegistered_IsRefusedWithTheKnownOnes()
    {
        var failure = Assert.Throws<OptionsValidationException>(() => Resolve<ResponderOptions>(services =>
            services.Configure<ResponderOptions>(options => options.Name = "gpt")));

        Assert.Equal("Responder:Name is 'gpt'; it must be one of: echo, external, openai.", Assert.Single(failure.Failures));
    }

    [Fact]
    public void OpenAI_WithSeveralBadValues_ReportsThemAll()
    {
        var failure = Assert.Throws<OptionsValidationException>(() => Resolve<OpenAIOptions>(services => services
            .Configure<ResponderOptions>(options => options.Name = OpenAIResponderExtensions.Name)
            .Configure<OpenAIOptions>(options =>
            {
                options.Endpoint = "localhost:11434";
                options.MaxOutputTokens = 0;
                options.Temperature = 3;
                options.ConnectTimeout = TimeSpan.Zero;
                options.ApiKey = "sk-1\n";
                options.AllowedModels.Add(" ");
                options.MaxQuestionTemperature = -1;
                options.MaxTokensField = (MaxTokensField)7;
                options.Headers["Content-Type"] = "text/plain";
                options.Headers["api-key"] = "hunter\r\n2";
                options.Headers["no name"] = "x";
            })));

        string[] expected =
        [
            "AllowedModels contains an empty name", "ApiKey contains white space", "ConnectTimeout is 00:00:00", "Endpoint is 'localhost:11434'",
            "Headers:Content-Type is not a header", "Headers:api-key contains a character", "Headers:no name is not a header", "MaxOutputTokens is 0",
            "MaxQuestionTemperature is -1", "MaxTokensField is '7'", "Model is ''", "Temperature is 3",
        ];
        Assert.All(expected, beginning => Assert.Single(
            failure.Failures, message => message.StartsWith($"Responder:OpenAI:{beginning}", StringComparison.Ordinal)));
        Assert.Equal(expected.Length, failure.Failures.Count());
        Assert.DoesNotContain("hunter", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenAI_WithAPasswordInItsEndpoint_DoesNotRepeatIt()
    {
        var failure = Assert.Throws<OptionsValidationException>(() => Resolve<OpenAIOptions>(services => services
            .Configure<ResponderOptions>(options => options.Name = OpenAIResponderExtensions.Name)
            .Configure<OpenAIOptions>(options => (options.Endpoint, options.Model) = ("http://me:hunter2@host/v1", "m"))));

        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenAI_WhenAnotherResponderAnswers_NeedsNoModel() => Assert.Equal("", Resolve<OpenAIOptions>().Model);

    [Fact]
    public void Echo_WithANegativeDelay_IsRefused()
    {
        var failure = Assert.Throws<OptionsValidationException>(() => Resolve<EchoOptions>(services =>
            services.Configure<EchoOptions>(options => options.Delay = TimeSpan.FromSeconds(-1))));

        Assert.StartsWith("Responder:Echo:Delay is -00:00:01;", Assert.Single(failure.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void Responders_AddedTwice_AreRegisteredOnce()
    {
        var services = new ServiceCollection().AddBuiltInResponders(null).AddOpenAIResponder(null).AddBuiltInResponders(null).AddOpenAIResponder(null);

        Assert.Equal(3, services.Count(service => service.ServiceType == typeof(ResponderRegistration)));
        Assert.Equal(2, services.Count(service => service.ServiceType == typeof(IValidateOptions<OpenAIOptions>)));
    }

    private static T Resolve<T>(Action<IServiceCollection>? configure = null)
        where T : class
    {
        var services = new ServiceCollection().AddBuiltInResponders(null).AddOpenAIResponder(null);
        configure?.Invoke(services);
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<T>>().Value;
    }
}
