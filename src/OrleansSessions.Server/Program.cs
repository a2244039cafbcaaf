// 1. Hosting/ServerBuilder: the configuration, the parts of the role, and the endpoints.
// 2. Hosting/ServerRun: the exit codes, and the messages for a failed start.
return await OrleansSessions.Server.Hosting.ServerRun.RunAsync(args);
