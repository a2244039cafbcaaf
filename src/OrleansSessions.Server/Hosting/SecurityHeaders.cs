using Microsoft.AspNetCore.HttpsPolicy;

namespace OrleansSessions.Server.Hosting;

/// <summary>Adds headers to every response that tell browsers what its content may do, and what other pages may do with it.</summary>
internal static class SecurityHeaders
{
    private static readonly TimeSpan StrictTransportAge = TimeSpan.FromDays(365);

    public static void AddSecurityHeaders(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.AddServerHeader = false);
        builder.Services.Configure<HstsOptions>(static hsts => hsts.MaxAge = StrictTransportAge);

        // Before the framework's own filters, which answer requests for hosts that are not allowed.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, First>());
    }

    private static void Add(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
    }

    private sealed class First : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(static (HttpContext context, RequestDelegate following) =>
            {
                Add(context.Response.Headers);
                return following(context);
            });
            next(app);
        };
    }
}
