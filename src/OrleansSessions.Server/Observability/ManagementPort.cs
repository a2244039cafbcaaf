namespace OrleansSessions.Server.Observability;

/// <summary>With <c>Server:ManagementPort</c>, health and metrics are served only on that port, and nothing else is served there.</summary>
internal static class ManagementPort
{
    /// <summary>Compares the port on which the connection arrived, because a client can put anything into the <c>Host</c> header.</summary>
    public static void UseManagementPort(this WebApplication app, int? port)
    {
        if (port is null)
        {
            return;
        }

        app.Use((context, next) =>
        {
            var isForOperators = context.GetEndpoint()?.Metadata.GetMetadata<ManagementEndpoint>() is not null;
            if (isForOperators == (context.Connection.LocalPort == port))
            {
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
    }
}
