using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>A request to the daemon.</summary>
/// <param name="Method">Method.</param>
/// <param name="Path">Path and query.</param>
/// <param name="Limit">Longest time until the whole answer is there.</param>
internal sealed record DaemonRequest(HttpMethod Method, string Path, TimeSpan Limit)
{
    /// <summary>JSON; null for none.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Key under which the daemon recognizes the request when it comes again; null for none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>What the request is about, for messages; null when the answer says it.</summary>
    public string? Subject { get; init; }
}

/// <summary>Requests and answers over the daemon's socket, and what their faults are called.</summary>
internal sealed class DaemonConnection : IDisposable
{
    private const int ConnectMilliseconds = 10_000;

    private readonly DaemonSocket _socket;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;

    /// <summary>Makes it; connects at the first request.</summary>
    /// <param name="socket">Where the daemon listens.</param>
    /// <param name="mostAnswerBytes">Longest answer that is taken.</param>
    /// <param name="clock">Time.</param>
    public DaemonConnection(DaemonSocket socket, int mostAnswerBytes, TimeProvider clock)
    {
        (_socket, _clock) = (socket, clock);
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(new NetworkStream(Connect(), ownsSocket: true)),
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
        };
        _http = new HttpClient(handler) { MaxResponseContentBufferSize = mostAnswerBytes, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Sends a request and reads its answer.</summary>
    /// <exception cref="PelicanException">See <see cref="DaemonClient"/>.</exception>
    public async Task<T> SendAsync<T>(DaemonRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpRequestMessage message = Message(request);
        using CancellationTokenSource limit = new(request.Limit, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(message, either.Token);
            byte[] body = await response.Content.ReadAsByteArrayAsync(either.Token);
            return response.IsSuccessStatusCode
                ? JsonSerializer.Deserialize(body, type) ?? throw Foreign(null)
                : throw Refusal(request, (int)response.StatusCode, body);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PelicanException(Errors.TimedOut,
                $"the Client API server at {_socket.Shown} has not answered within {request.Limit.TotalSeconds:0} s",
                "See what 'pelican client-api status' says.");
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException as PelicanException ?? (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded
                ? Foreign(e)
                : new PelicanException(Errors.ConnectionReset, $"the Client API server at {_socket.Shown} broke the connection",
                    "See what 'pelican client-api status' says.", e));
        }
        catch (JsonException e)
        {
            throw Foreign(e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Message(DaemonRequest request)
    {
        HttpRequestMessage message = new(request.Method, "http://localhost" + request.Path);
        if (request.Body is { } body)
        {
            message.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        }

        if (request.IdempotencyKey is { } key)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        return message;
    }

    // Without blocking, the kernel refuses a connection when more wait than the daemon has room for (EAGAIN); blocking, it
    // lets us wait our turn, at most as long as the socket may take to send.
    private Socket Connect()
    {
        foreach (string path in _socket.Paths)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { SendTimeout = ConnectMilliseconds };
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                if (!IsNobodyThere(e))
                {
                    throw Unreachable(e, path);
                }
            }
        }

        throw new PelicanException(Errors.ServerNotRunning, "Client API server is not running", "Start it with 'pelican client-api serve'");
    }

    // AddressNotAvailable is what .NET makes of a missing file.
    private static bool IsNobodyThere(SocketException exception) =>
        exception.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable;

    private static PelicanException Unreachable(SocketException exception, string path) => exception.SocketErrorCode switch
    {
        SocketError.AccessDenied => new PelicanException(Errors.LocalDenied, $"may not connect to the Client API server at {path}: permission denied",
            "The socket belongs to whoever started the server: name your own with --socket.", exception),
        SocketError.WouldBlock or SocketError.TimedOut => new PelicanException(Errors.TimedOut,
            $"the Client API server at {path} does not take connections", "See what 'pelican client-api status' says.", exception),
        _ => new PelicanException(Errors.Local, $"cannot connect to the Client API server at {path}: {exception.Message}", inner: exception),
    };

    private PelicanException Foreign(Exception? cause) => new(Errors.Protocol,
        $"what answers at {_socket.Shown} is not a Client API server that this program understands",
        "Check --socket, and whether the server is of the same version: 'pelican client-api restart'.", cause)
    {
        Retryable = false,
    };

    private PelicanException Refusal(DaemonRequest request, int status, byte[] body)
    {
        ApiError error;
        try
        {
            error = JsonSerializer.Deserialize(body, PelicanJson.Default.ApiError) ?? throw Foreign(null);
        }
        catch (JsonException e)
        {
            throw Foreign(e);
        }

        string subject = request.Subject is { } about ? about + ": " : "";
        return new PelicanException(RowOf(error.Code, status), subject + Faults.Clean(error.Error), error.Detail is { } detail ? Faults.Clean(detail) : null)
        {
            Retryable = error.Retryable,
        };
    }

    private static ErrorRow RowOf(string code, int status) => code switch
    {
        "INVALID_REQUEST" => Errors.Parameter,
        "NOT_FOUND" => Errors.NotFound,
        "UNAUTHORIZED" => Errors.Authorization,
        "CONFLICT" or "CANCELLED" => Errors.Specification,
        "TIMEOUT" => Errors.TimedOut,
        "TRANSFER_FAILED" => Errors.Transfer,
        "INTERNAL_ERROR" => Errors.Internal,
        _ => status >= 500 ? Errors.Transfer : Errors.Specification,
    };
}
