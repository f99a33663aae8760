using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Pelican.Federation;

/// <summary>
/// A HTTP/1.1 server on 127.0.0.1 that takes one request at a time from each connection and writes whatever answer it is
/// told. It exists because Kestrel rightly refuses most of what real servers do wrong: to promise bytes and not send them,
/// to say Keep-Alive and close, to answer with headers on <c>100 Continue</c>, to reset in the middle.
/// </summary>
/// <param name="certificate">Certificate for TLS; null for plain HTTP.</param>
/// <param name="handler">Answers requests.</param>
public sealed class RawServer(X509Certificate2? certificate, Func<Request, CancellationToken, Task<Reply>> handler) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    // Made once: it costs more than the handshake.
    private readonly SslStreamCertificateContext? _secured = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true);

    private readonly ConcurrentDictionary<int, (Socket Socket, Task Task)> _connections = new();
    private readonly ConcurrentDictionary<int, int> _idle = new();
    private Socket _listener = Bind(0);
    private Task _accepting = Task.CompletedTask;
    private TaskCompletionSource _changed = NewSignal();
    private int _accepted;

    /// <summary>Port, the same for life.</summary>
    public int Port { get; private set; }

    /// <summary>How request header names are compared.</summary>
    public StringComparer HeaderNames { get; init; } = StringComparer.OrdinalIgnoreCase;

    /// <summary>Extra header line of <c>100 Continue</c>; null for none (xrootd.md 6.3).</summary>
    public string? ContinueHeader { get; init; }

    /// <summary>Connections accepted so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Whether it listens.</summary>
    public bool IsUp { get; private set; }

    /// <summary>Faults of the server itself: exceptions of the handler that a real server would not have.</summary>
    public ConcurrentQueue<Exception> Failures { get; } = new();

    /// <summary>Starts to listen, at first or again.</summary>
    public void Up()
    {
        _listener.Listen(512);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        IsUp = true;
        _accepting = AcceptAsync(_listener);
    }

    /// <summary>Resets all connections and refuses new ones; the port stays reserved.</summary>
    public async Task DownAsync()
    {
        IsUp = false;
        _listener.Dispose();
        await _accepting;
        _listener = Bind(Port);
        CloseConnections(_connections.Keys);
    }

    /// <summary>Completes once every connection waits for a request.</summary>
    public async Task WaitForIdleAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed = Volatile.Read(ref _changed).Task;
            if (_connections.Keys.All(_idle.ContainsKey))
            {
                return;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Closes the connections that wait for a request, as a server does whose patience ended (xrootd.md 13.2).</summary>
    public void CloseIdle() => CloseConnections(_idle.Keys);

    /// <summary>Closes the connections that have not sent a first request.</summary>
    public void CloseUnused() => CloseConnections(_idle.Where(pair => pair.Value == 0).Select(pair => pair.Key));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        CloseConnections(_connections.Keys);
        await Task.WhenAll(_connections.Values.Select(connection => connection.Task));
        _stopping.Dispose();
    }

    private static Socket Bind(int port)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return listener;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void SignalChange() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    private void CloseConnections(IEnumerable<int> numbers)
    {
        foreach (int number in numbers.ToArray())
        {
            if (_connections.TryGetValue(number, out (Socket Socket, Task Task) connection))
            {
                connection.Socket.Close(0);
            }
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            socket.NoDelay = true;
            int number = Interlocked.Increment(ref _accepted) - 1;
            TaskCompletionSource registered = NewSignal();
            _connections[number] = (socket, RunAsync(number, socket, registered.Task));
            registered.SetResult();
        }
    }

    private async Task RunAsync(int number, Socket socket, Task registered)
    {
        await registered;
        try
        {
            using Wire wire = await SecureAsync(socket);
            for (int request = 0; await ServeAsync(wire, number, request); request++)
            {
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException
            or System.Security.Authentication.AuthenticationException)
        {
            // The client left, a script cut the connection, or the server ends: nothing to tell anybody.
        }
        finally
        {
            socket.Dispose();
            _idle.TryRemove(number, out _);
            _connections.TryRemove(number, out _);
            SignalChange();
        }
    }

    private async Task<Wire> SecureAsync(Socket socket)
    {
        NetworkStream plain = new(socket);
        if (_secured is null)
        {
            return new Wire(socket, plain);
        }

        SslStream secure = new(plain);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = _secured }, _stopping.Token);
        return new Wire(socket, secure);
    }

    /// <returns>Whether the connection stays open.</returns>
    private async Task<bool> ServeAsync(Wire wire, int connection, int number)
    {
        _idle[connection] = number;
        SignalChange();
        List<string>? head = await wire.ReadHeadAsync(_stopping.Token);
        _idle.TryRemove(connection, out _);
        if (head is null or [])
        {
            return false;
        }

        Request request = Parse(head, wire, connection, number);
        try
        {
            Reply reply = await AnswerAsync(request);
            if (request.Method is not ("PUT" or "COPY") && request.HasBody)
            {
                // Servers read the few bytes of a question, whatever they answer: a connection closed on them would be reset.
                await request.Received.CopyToAsync(Stream.Null, _stopping.Token);
            }

            if ("close".Equals(request.Headers["Connection"], StringComparison.OrdinalIgnoreCase))
            {
                reply.Close = true;
                reply.Headers["Connection"] = "Close";
            }

            return await ReplyWriter.WriteAsync(wire, request, reply, _stopping.Token);
        }
        finally
        {
            request.Done();
        }
    }

    private async Task<Reply> AnswerAsync(Request request)
    {
        try
        {
            return await handler(request, _stopping.Token);
        }
        catch (Exception e) when (e is not (IOException or OperationCanceledException or ObjectDisposedException))
        {
            // The edge: a mistake in a script or in this server must show in the test and not as a dead connection.
            Failures.Enqueue(e);
            return new Reply(500, e.ToString(), "text/plain") { Close = true };
        }
    }

    private Request Parse(List<string> head, Wire wire, int connection, int number)
    {
        string[] first = head[0].Split(' ');
        if (first.Length != 3 || !first[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
        {
            throw new IOException($"'{head[0]}' is no request line");
        }

        HeaderList headers = new(HeaderNames);
        foreach (string line in head.Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add(line[..(colon < 0 ? throw new IOException($"'{line}' is no header") : colon)], line[(colon + 1)..].Trim());
        }

        bool chunked = headers["Transfer-Encoding"] == "chunked";
        if (!long.TryParse(headers["Content-Length"] ?? "0", CultureInfo.InvariantCulture, out long length) || length < 0)
        {
            throw new IOException($"'{headers["Content-Length"]}' is no length");
        }

        bool waits = headers["Expect"] == "100-continue";
        RequestBody body = new(wire, chunked ? null : length, waits ? token => ContinueAsync(wire, token) : _ => Task.CompletedTask);
        return new Request(body)
        {
            Method = first[0],
            Target = first[1],
            Headers = headers,
            HasBody = chunked || length > 0,
            Connection = connection,
            NumberOnConnection = number,
        };
    }

    private async Task ContinueAsync(Wire wire, CancellationToken cancellationToken)
    {
        string extra = ContinueHeader is null ? "" : ContinueHeader + "\r\n";
        await wire.Stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 100 Continue\r\n{extra}\r\n"), cancellationToken);
    }
}
