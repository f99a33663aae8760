using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Pelican.Server;

/// <summary>Kestrel on one Unix socket: the part of the daemon that can be replaced while jobs go on, when somebody removed the socket.</summary>
internal sealed partial class DaemonFront : IAsyncDisposable
{
    /// <summary>Connections that may wait to be accepted; the kernel may have a lower limit (<c>net.core.somaxconn</c>).</summary>
    private const int Backlog = 4096;

    private static readonly TimeSpan LastAnswers = TimeSpan.FromSeconds(5);

    private readonly KestrelServer _server;

    private DaemonFront(KestrelServer server, InstanceSocket socket) => (_server, Socket) = (server, socket);

    /// <summary>Where it listens.</summary>
    public InstanceSocket Socket { get; }

    /// <summary>Begins to listen.</summary>
    /// <param name="socket">Bound; the front's from now on.</param>
    /// <param name="logs">Where log messages go; closed by whoever opened it.</param>
    /// <param name="answer">Answers requests.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<DaemonFront> StartAsync(
        InstanceSocket socket, ILoggerFactory logs, RequestDelegate answer, CancellationToken cancellationToken)
    {
        // The server alone: a host around it would bring along routing, services and configuration, a megabyte of them.
        KestrelServerOptions options = new() { AddServerHeader = false };
        // A program that was suspended with Ctrl+Z while it sent has done nothing wrong.
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        // Clients that never hang up must not take the descriptors that jobs need: who is one too many is hung up on.
        options.Limits.MaxConcurrentConnections = Math.Max(1, SystemCalls.DescriptorLimit() / 2);
        options.ListenUnixSocket(socket.Path, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            ILogger log = logs.CreateLogger<DaemonFront>();
            listen.Use(next => connection =>
            {
                FaultBodies.Give(connection);
                return IsOwner(connection, log) ? next(connection) : Task.CompletedTask;
            });
        });
        SocketTransportOptions transport = new() { Backlog = Backlog, CreateBoundListenSocket = _ => socket.Socket };

        DaemonFront front = new(new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(transport), logs), logs), socket);
        bool started = false;
        try
        {
            await front._server.StartAsync(new Application(answer), cancellationToken);
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
        using (CancellationTokenSource limit = new(LastAnswers))
        {
            await _server.StopAsync(limit.Token);
        }

        _server.Dispose();
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

    /// <summary>What Kestrel asks for each request.</summary>
    private sealed class Application(RequestDelegate answer) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => answer(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "A connection of user {User} was refused: it is not the owner.")]
        public static partial void Refused(ILogger log, uint? user);
    }
}
