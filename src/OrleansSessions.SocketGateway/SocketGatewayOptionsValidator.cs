using Microsoft.Extensions.Options;

namespace OrleansSessions.SocketGateway;

/// <summary>Collects every fault of <see cref="SocketGatewayOptions"/>, with the key and the value found.</summary>
internal sealed class SocketGatewayOptionsValidator : IValidateOptions<SocketGatewayOptions>
{
    private const string Section = "SocketGateway:";

    /// <summary>JSON may take six bytes for a character, and no frame may exceed 1 MiB: 6 x 128 KiB is 768 KiB.</summary>
    private const int MostRunChars = 128 * 1024;

    // An event counts 64 bytes in a read of the log, and may become a frame of its own; a read must fit half of the frames that may wait.
    private const int LogBytesPerFrame = 32;

    public ValidateOptionsResult Validate(string? name, SocketGatewayOptions options)
    {
        var faults = new List<string>();
        CheckSizes(options, faults);
        CheckTimes(options, faults);
        CheckOrigins(options, faults);
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void CheckSizes(SocketGatewayOptions options, List<string> faults)
    {
        Within(faults, nameof(options.MaxConnections), options.MaxConnections, 1, 10_000_000);
        Within(faults, nameof(options.MaxMessageBytes), options.MaxMessageBytes, 256, 1024 * 1024);
        Within(faults, nameof(options.MaxFragments), options.MaxFragments, 1, 1_000_000);
        Within(faults, nameof(options.MaxQueuedFrames), options.MaxQueuedFrames, 64, 1_000_000);
        Within(faults, nameof(options.MaxQueuedChars), options.MaxQueuedChars, 2 * 1024 * 1024, 1024 * 1024 * 1024);
        Within(faults, nameof(options.MaxRunChars), options.MaxRunChars, 1, MostRunChars);
        Within(faults, nameof(options.MaxHeldItems), options.MaxHeldItems, 1, 1_000_000);
        Within(faults, nameof(options.LogReadBytes), options.LogReadBytes, 1024, 1024 * 1024);
        if (options.LogReadBytes > (long)options.MaxQueuedFrames * LogBytesPerFrame)
        {
            faults.Add(
                $"{Section}{nameof(options.LogReadBytes)}: {options.LogReadBytes} is more than {LogBytesPerFrame} times "
                + $"{nameof(options.MaxQueuedFrames)}, which is {options.MaxQueuedFrames}: a client that resumes would be closed for what one read brings.");
        }

        Within(faults, nameof(options.MaxBasicFrameBytes), options.MaxBasicFrameBytes, 4096, 1024 * 1024);
        Within(faults, nameof(options.MaxBadRequests), options.MaxBadRequests, 1, 1_000_000);
        Within(faults, nameof(options.MaxBusyRefusals), options.MaxBusyRefusals, 1, 1_000_000);
        Within(faults, nameof(options.MaxAnswerBodyBytes), options.MaxAnswerBodyBytes, 1024, 64 * 1024 * 1024);
    }

    private static void CheckTimes(SocketGatewayOptions options, List<string> faults)
    {
        Within(faults, nameof(options.MessageTimeout), options.MessageTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        Within(faults, nameof(options.HeartbeatInterval), options.HeartbeatInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        Within(faults, nameof(options.CloseTimeout), options.CloseTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        Within(faults, nameof(options.SendTimeout), options.SendTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        Within(faults, nameof(options.StrikeWindow), options.StrikeWindow, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Within(faults, nameof(options.RetryAfter), options.RetryAfter, TimeSpan.Zero, TimeSpan.FromHours(1));
        Within(faults, nameof(options.ReconnectMin), options.ReconnectMin, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));
        Within(faults, nameof(options.ReconnectMax), options.ReconnectMax, options.ReconnectMin, TimeSpan.FromHours(1));
        Within(faults, nameof(options.SiloHeartbeatTimeout), options.SiloHeartbeatTimeout, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(5));
        Within(faults, nameof(options.QuietSessionTimeout), options.QuietSessionTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));
        Within(faults, nameof(options.ReadyTimeout), options.ReadyTimeout, TimeSpan.Zero, TimeSpan.FromHours(1));
        Within(faults, nameof(options.MaxWait), options.MaxWait, TimeSpan.Zero, TimeSpan.FromHours(1));
    }

    private static void CheckOrigins(SocketGatewayOptions options, List<string> faults)
    {
        foreach (var origin in options.AllowedOrigins)
        {
            var isOrigin = Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                && uri.Scheme is "http" or "https" && uri.PathAndQuery == "/" && !origin.EndsWith('/');
            if (origin != "*" && !isOrigin)
            {
                faults.Add($"{Section}{nameof(options.AllowedOrigins)}: '{origin}' is neither '*' nor of the form https://host[:port].");
            }
        }
    }

    private static void Within<T>(List<string> faults, string key, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            faults.Add($"{Section}{key}: {value} is not from {least} to {most}.");
        }
    }
}
