# Build: the projects' files first, so that packages are restored again only when those change.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig BannedSymbols.txt ./
COPY src/Directory.Build.props src/
COPY src/OrleansSessions.Protocol/*.csproj src/OrleansSessions.Protocol/
COPY src/OrleansSessions.Abstractions/*.csproj src/OrleansSessions.Abstractions/
COPY src/OrleansSessions.Streaming/*.csproj src/OrleansSessions.Streaming/
COPY src/OrleansSessions.Storage.Sqlite/*.csproj src/OrleansSessions.Storage.Sqlite/
COPY src/OrleansSessions.Grains/*.csproj src/OrleansSessions.Grains/
COPY src/OrleansSessions.Responders.OpenAI/*.csproj src/OrleansSessions.Responders.OpenAI/
COPY src/OrleansSessions.SocketGateway/*.csproj src/OrleansSessions.SocketGateway/
COPY src/OrleansSessions.Server/*.csproj src/OrleansSessions.Server/
RUN dotnet restore src/OrleansSessions.Server
COPY src/ src/
COPY docs/ docs/
COPY silo-config/ silo-config/
COPY clients/javascript/src/ clients/javascript/src/
RUN dotnet publish src/OrleansSessions.Server --no-restore --configuration Release --output /app

# Run: not as root, on 8080. The base image sets ASPNETCORE_HTTP_PORTS=8080 and has the user whose id is APP_UID.
# That port can be reached from outside, so the server starts only with authentication (Auth__Jwt__Authority and Auth__Jwt__Audience, Auth__Jwt__Keys__NAME,
# or Auth__ApiKeys__NAME), or deliberately without: docker run -p 127.0.0.1:8080:8080 -e Auth__AllowAnonymous=true IMAGE
FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app ./
# Without Redis, sessions are in a file. The folder belongs to the user, and so does a new volume that is mounted there: docker run -v sessions:/data ...
RUN install -d -o $APP_UID -g $APP_UID /data
ENV Sessions__File=/data/sessions.db
VOLUME /data
USER $APP_UID
# 8080: page, sockets, HTTP, health, metrics. 11111: other silos. 30000: socket gateways in containers of their own.
EXPOSE 8080 11111 30000
# The image has no curl; bash can speak enough HTTP by itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/${Server__ManagementPort:-8080} && printf 'GET /health/live HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["dotnet", "OrleansSessions.Server.dll"]
