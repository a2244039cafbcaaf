using OrleansSessions.Configuration;

namespace OrleansSessions.Server.Configuration;

/// <summary>A configuration section and the options that are bound to it.</summary>
internal sealed record KnownSection(string Path, Type Options, Action<IServiceCollection, IConfiguration> Bind)
{
    public static KnownSection Of<T>()
        where T : class, ISectionOptions => new(T.Section, typeof(T), static (services, values) =>
        {
            services.AddSection<T>(configPrefix: null);
            services.AddOptions<T>().Bind(values.GetSection(T.Section));
        });
}
