using Microsoft.Extensions.Options;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Checks the section <c>Sessions</c> and tells every error at once.</summary>
internal sealed class SessionsOptionsValidator : IValidateOptions<SessionsOptions>
{
    /// <summary>Orleans looks for idle grains once a minute, and the age must exceed that.</summary>
    private static readonly TimeSpan MinCollectionAge = TimeSpan.FromMinutes(2);

    /// <summary>A snapshot carries it beside 64 KiB of answer, and JSON may take six bytes for one: 6 x (96 + 64) KiB is 960 KiB, below 1 MiB.</summary>
    private const int MostQuestionBytes = 96 * 1024;

    /// <summary>The first frame lists all of them, with about 150 bytes each.</summary>
    private const int MostQueuedQuestions = 1_000;

    public ValidateOptionsResult Validate(string? name, SessionsOptions options)
    {
        var errors = new List<string>();
        Positive(errors, nameof(options.FirstDeltaTimeout), options.FirstDeltaTimeout);
        Positive(errors, nameof(options.IdleTimeout), options.IdleTimeout);
        Positive(errors, nameof(options.TotalTimeout), options.TotalTimeout);
        Positive(errors, nameof(options.QueueTimeout), options.QueueTimeout);
        Positive(errors, nameof(options.Retention), options.Retention);
        Within(errors, nameof(options.MaxQueuedQuestions), options.MaxQueuedQuestions, 0, MostQueuedQuestions);
        Within(errors, nameof(options.MaxQuestionBytes), options.MaxQuestionBytes, 1, MostQuestionBytes);
        AtLeast(errors, nameof(options.MaxAnswerBytes), options.MaxAnswerBytes, 1);
        AtLeast(errors, nameof(options.KeptQuestions), options.KeptQuestions, 1);
        AtLeast(errors, nameof(options.KeptBytes), options.KeptBytes, 0);
        AtLeast(errors, nameof(options.KeptEvents), options.KeptEvents, 0);
        AtLeast(errors, nameof(options.HistoryPairs), options.HistoryPairs, 0);
        AtLeast(errors, nameof(options.HistoryBytes), options.HistoryBytes, 0);
        AtLeast(errors, nameof(options.MaxParkedSessions), options.MaxParkedSessions, 0);
        AtLeast(errors, nameof(options.MaxParkedBytes), options.MaxParkedBytes, 0);
        if (!Enum.IsDefined(options.Persistence))
        {
            errors.Add($"Sessions:Persistence is '{options.Persistence}'; it must be Auto, Memory or Stored.");
        }

        if (options.CoalesceWindow < TimeSpan.Zero || options.CoalesceWindow > TimeSpan.FromSeconds(1))
        {
            errors.Add($"Sessions:CoalesceWindow is {options.CoalesceWindow}; it must be from 0 to 1 s.");
        }

        if (options.CollectionAge < MinCollectionAge)
        {
            errors.Add($"Sessions:CollectionAge is {options.CollectionAge}; it must be at least {MinCollectionAge}.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void Positive(List<string> errors, string key, TimeSpan value)
    {
        if (value <= TimeSpan.Zero)
        {
            errors.Add($"Sessions:{key} is {value}; it must be more than zero.");
        }
    }

    private static void Within(List<string> errors, string key, long value, long minimum, long maximum)
    {
        if (value < minimum || value > maximum)
        {
            errors.Add($"Sessions:{key} is {value}; it must be from {minimum} to {maximum}.");
        }
    }

    private static void AtLeast(List<string> errors, string key, long value, long minimum)
    {
        if (value < minimum)
        {
            errors.Add($"Sessions:{key} is {value}; it must be at least {minimum}.");
        }
    }
}
