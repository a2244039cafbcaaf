// 1. Configuration, the parts of the role, and what it answers: Hosting/ServerBuilder.
// 2. Exit codes and what is said when it cannot start: Hosting/ServerRun.
return await OrleansSessions.Server.Hosting.ServerRun.RunAsync(args);
