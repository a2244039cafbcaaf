using Embed;
using Microsoft.Extensions.FileProviders;
using OrleansSessions.Grains;
using OrleansSessions.Responders;
using OrleansSessions.SocketGateway;

var builder = WebApplication.CreateBuilder(args);

// 1. The application as it was: accounts, and the parcels of each customer.
builder.AddAccounts();
builder.Services.AddAuthorization();
builder.Services.AddSingleton<ParcelBook>();

// 2. Sessions: a silo in this process, a responder that reads the parcels, sockets and HTTP.
builder.Host.UseOrleans(silo => silo
    .UseLocalhostClustering(builder.Configuration.GetValue("SiloPort", 11111), builder.Configuration.GetValue("OrleansGatewayPort", 30000))
    .AddSessionGrains());
builder.Services.AddResponder<ParcelResponder>("parcels");
builder.Services.Configure<ResponderOptions>(options => options.Name = "parcels");
builder.Services.AddSocketGateway();

var app = builder.Build();
var pages = new PhysicalFileProvider(Path.Combine(AppContext.BaseDirectory, "pages"));
app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = pages });
app.UseStaticFiles(new StaticFileOptions { FileProvider = pages });
app.MapAccounts();
app.MapParcels();

// 3. Sockets and HTTP. Each customer has sessions of their own: a session's id means another session for another customer.
app.MapSocketGateway("/ws/{session_id}");
app.MapSessionHttp();
app.Run();
