using System.Globalization;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Streaming;

internal sealed class PushStreamOptionsValidator : IValidateOptions<PushStreamOptions>
{
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, PushStreamOptions options)
    {
        var errors = new List<string>();
        Range(nameof(options.QueueCount), options.QueueCount, 1, 256);
        Range(nameof(options.QueueCapacity), options.QueueCapacity, 1, 1 << 24);
        Range(nameof(options.StreamCapacity), options.StreamCapacity, 1, 1 << 24);
        Range(nameof(options.BatchSize), options.BatchSize, 1, 65_536);
        Time(nameof(options.EnqueueTimeout), options.EnqueueTimeout);
        Time(nameof(options.MaxDeliveryTime), options.MaxDeliveryTime);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Range(string key, int value, int from, int to)
        {
            if (value < from || value > to)
            {
                errors.Add(string.Create(
                    CultureInfo.InvariantCulture, $"Push streams '{name}': {nameof(PushStreamOptions)}.{key} is {value}; it must be from {from} to {to}."));
            }
        }

        void Time(string key, TimeSpan value)
        {
            if (value <= TimeSpan.Zero || value > LongestTime)
            {
                errors.Add($"Push streams '{name}': {nameof(PushStreamOptions)}.{key} is {value}; it must be more than zero and at most {LongestTime}.");
            }
        }
    }
}
