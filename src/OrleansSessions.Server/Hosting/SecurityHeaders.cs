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
    }

    public static void UseSecurityHeaders(this WebApplication app)
    {
        app.Use(static (context, next) =>
        {
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
            return next(context);
        });

        // For requests over https, except for localhost, where other programs are served without it.
        app.UseHsts();
    }
}
