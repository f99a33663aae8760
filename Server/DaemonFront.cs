using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pelican.Server;

/// <summary>Kestrel on one Unix socket: the part of the daemon that can be replaced while jobs go on, when somebody removed the socket.</summary>
internal sealed partial class DaemonFront : IAsyncDisposable
{
    /// <summary>Connections that may wait to be accepted; the kernel may have a lower limit (<c>net.core.somaxconn</c>).</summary>
    private const int Backlog = 4096;

    private static readonly TimeSpan LastAnswers = TimeSpan.FromSeconds(5);

    private readonly WebApplication _application;

    private DaemonFront(WebApplication application, InstanceSocket socket) => (_application, Socket) = (application, socket);

    /// <summary>Where it listens.</summary>
    public InstanceSocket Socket { get; }

    /// <summary>Begins to listen.</summary>
    /// <param name="socket">Bound; the front's from now on.</param>
    /// <param name="logs">Where log messages go; closed by whoever opened it.</param>
    /// <param name="map">Maps the endpoints.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<DaemonFront> StartAsync(
        InstanceSocket socket, ILoggerFactory logs, Action<WebApplication> map, CancellationToken cancellationToken)
    {
        // Empty: what the other builders bring along are environment variables meant for other servers, files that are
        // watched for changes (with inotify, over the whole of the current directory), and a console.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = LastAnswers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<SocketTransportOptions>(transport =>
        {
            transport.Backlog = Backlog;
            transport.CreateBoundListenSocket = _ => socket.Socket;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A program that was suspended with Ctrl+Z while it sent has done nothing wrong.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.ListenUnixSocket(socket.Path, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                ILogger log = logs.CreateLogger<DaemonFront>();
                listen.Use(next => connection => IsOwner(connection, log) ? next(connection) : Task.CompletedTask);
            });
        });

        WebApplication application = builder.Build();
        DaemonFront front = new(application, socket);
        bool started = false;
        try
        {
            map(application);
            await application.StartAsync(cancellationToken);
            started = true;
            return front;
        }
        finally
        {
            if (!started)
            {
                await front.DisposeAsync();
            }
        }
    }

    /// <summary>The user at the other end of a connection; null when the kernel does not say.</summary>
    public static uint? PeerOf(Socket socket)
    {
        const int socketLevel = 1, peerCredentials = 17, userIdAt = 4;
        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(socketLevel, peerCredentials, credentials) == credentials.Length
            ? BitConverter.ToUInt32(credentials[userIdAt..])
            : null;
    }

    /// <summary>Takes no more connections, lets the requests under way end, and removes the socket.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(CancellationToken.None);
        await _application.DisposeAsync();
        Socket.Dispose();
    }

    // The mode of socket and directory keeps others out already; unless somebody changes it.
    private static bool IsOwner(ConnectionContext connection, ILogger log)
    {
        uint? peer = connection.Features.Get<IConnectionSocketFeature>() is { } feature ? PeerOf(feature.Socket) : null;
        if (peer == SystemCalls.GetEffectiveUserId())
        {
            return true;
        }

        Log.Refused(log, peer);
        connection.Abort();
        return false;
    }

    /// <summary>Signals and the end of the process are the daemon's business.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "A connection of user {User} was refused: it is not the owner.")]
        public static partial void Refused(ILogger log, uint? user);
    }
}
