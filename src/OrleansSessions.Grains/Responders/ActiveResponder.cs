using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

/// <summary>The responder that the configuration has chosen for this silo.</summary>
internal sealed class ActiveResponder
{
    public ActiveResponder(IOptions<ResponderOptions> options, IEnumerable<ResponderRegistration> registrations, IServiceProvider services)
    {
        var name = options.Value.Name;
        var known = registrations.ToList();
        Registration = known.FindLast(registration => registration.Name == name)
            ?? throw new InvalidOperationException(
                $"Responder:Name is '{name}', which is not registered; known are {string.Join(", ", known.Select(registration => registration.Name).Distinct())}.");
        Responder = Registration.Type is null ? new MissingResponder() : (IResponder)services.GetRequiredService(Registration.Type);
        LogsMessages = services.GetService<IHostEnvironment>()?.IsDevelopment() == true;
    }

    public ResponderRegistration Registration { get; }

    public string Name => Registration.Name;

    /// <summary>Answers what was asked for a responder.</summary>
    public IResponder Responder { get; }

    /// <summary>Where it works: on the thread pool, apart from all grains. A test of all interleavings has its own.</summary>
    public TaskScheduler Scheduler { get; init; } = TaskScheduler.Default;

    /// <summary>True in Development: the messages of exceptions that the responder throws are logged. Elsewhere they are not, because they may hold what users said.</summary>
    public bool LogsMessages { get; }
}
