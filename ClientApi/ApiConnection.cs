using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Pelican.ClientApi;

/// <summary>A request to the server.</summary>
/// <param name="Method">Method.</param>
/// <param name="Path">Path and query.</param>
/// <param name="Limit">Longest time until the whole answer is there.</param>
internal sealed record ApiCall(HttpMethod Method, string Path, TimeSpan Limit)
{
    /// <summary>JSON; null for none.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Key under which the server recognizes the request when it comes again; null for none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>What the request is about, for messages; null when the answer says it.</summary>
    public string? Subject { get; init; }
}

/// <summary>Requests and answers over the server's socket, and what their faults are called.</summary>
internal sealed class ApiConnection : IDisposable
{
    private const int ConnectMilliseconds = 10_000;
    private const string SeeStatus = "See what 'pelican client-api status' says.";

    private readonly ApiSocket _socket;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private bool _met;

    /// <summary>Makes it; connects at the first request.</summary>
    /// <param name="socket">Where the server listens.</param>
    /// <param name="mostAnswerBytes">Longest answer that is taken.</param>
    /// <param name="clock">Time.</param>
    public ApiConnection(ApiSocket socket, int mostAnswerBytes, TimeProvider clock)
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

    /// <summary>
    /// Starts a server when the first request finds none; null to leave that to others. One that was met and went away is
    /// not started again: somebody stopped it. It returns why starting failed, null if it did not.
    /// </summary>
    public Func<CancellationToken, Task<string?>>? Start { get; init; }

    /// <summary>Sends a request and reads its answer.</summary>
    /// <exception cref="ApiException">See <see cref="ApiClient"/>.</exception>
    public async Task<T> SendAsync<T>(ApiCall request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            T answer = await TrySendAsync(request, type, cancellationToken);
            _met = true;
            return answer;
        }
        catch (ApiException e) when (e.Fault == ApiFault.NotRunning && Start is not null && !_met)
        {
            _met = true;
            return await StartAndSendAsync(request, type, Start, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    // Whether we started it or somebody else at the same moment does not matter: the second request tells.
    private async Task<T> StartAndSendAsync<T>(
        ApiCall request, JsonTypeInfo<T> type, Func<CancellationToken, Task<string?>> start, CancellationToken cancellationToken)
    {
        string? failure = await start(cancellationToken);
        try
        {
            return await TrySendAsync(request, type, cancellationToken);
        }
        catch (ApiException e) when (e.Fault == ApiFault.NotRunning && failure is not null)
        {
            throw new ApiException(e.Fault, e.Message, e) { Detail = $"It could not be started: {failure}" };
        }
    }

    private async Task<T> TrySendAsync<T>(ApiCall request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
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
            throw new ApiException(ApiFault.TimedOut, $"the Client API server at {_socket.Shown} has not answered within {request.Limit.TotalSeconds:0} s")
            {
                Detail = SeeStatus,
            };
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException as ApiException ?? (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded
                ? Foreign(e)
                : new ApiException(ApiFault.Broken, $"the Client API server at {_socket.Shown} broke the connection", e) { Detail = SeeStatus });
        }
        catch (JsonException e)
        {
            throw Foreign(e);
        }
    }

    private static HttpRequestMessage Message(ApiCall request)
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

    // Without blocking, the kernel refuses a connection when more wait than the server has room for (EAGAIN); blocking, it
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

        throw new ApiException(ApiFault.NotRunning, "Client API server is not running") { Detail = "Start it with 'pelican client-api serve'" };
    }

    // AddressNotAvailable is what .NET makes of a missing file.
    private static bool IsNobodyThere(SocketException exception) =>
        exception.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable;

    private static ApiException Unreachable(SocketException exception, string path) => exception.SocketErrorCode switch
    {
        SocketError.AccessDenied => new ApiException(ApiFault.Denied, $"may not connect to the Client API server at {path}: permission denied", exception)
        {
            Detail = "The socket belongs to whoever started the server: name your own with --socket.",
        },
        SocketError.WouldBlock or SocketError.TimedOut =>
            new ApiException(ApiFault.TimedOut, $"the Client API server at {path} does not take connections", exception) { Detail = SeeStatus },
        _ => new ApiException(ApiFault.Unreachable, $"cannot connect to the Client API server at {path}: {exception.Message}", exception),
    };

    private ApiException Foreign(Exception? cause) =>
        new(ApiFault.Foreign, $"what answers at {_socket.Shown} is not a Client API server that this program understands", cause)
        {
            Detail = "Check --socket, and whether the server is of the same version: 'pelican client-api restart'.",
        };

    private ApiException Refusal(ApiCall request, int status, byte[] body)
    {
        ApiError error;
        try
        {
            error = JsonSerializer.Deserialize(body, ApiJson.Default.ApiError) ?? throw Foreign(null);
        }
        catch (JsonException e)
        {
            throw Foreign(e);
        }

        string subject = request.Subject is { } about ? about + ": " : "";
        return new ApiException(ApiFault.Refused, subject + error.Error)
        {
            Code = error.Code,
            Status = status,
            Retryable = error.Retryable,
            Detail = error.Detail,
        };
    }
}
