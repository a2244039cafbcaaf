namespace OrleansSessions.Server.Observability;

/// <summary>With <c>Server:ManagementPort</c>, health and metrics are found on that port alone, and nothing else is.</summary>
internal static class ManagementPort
{
    /// <summary>Looks at the port that the connection came in by: a <c>Host</c> header says what its sender likes.</summary>
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
