using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Pelican.ClientApi;

/// <summary>A request to the server.</summary>
/// <param name="Method">Method.</param>
/// <param name="Path">Path and query.</param>
/// <param name="Limit">Longest time until the whole answer is there.</param>
internal sealed record ApiCall(string Method, string Path, TimeSpan Limit)
{
    public const string Get = "GET";
    public const string Post = "POST";
    public const string Delete = "DELETE";

    /// <summary>JSON; null for none.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Key under which the server recognizes the request when it comes again; null for none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>What the request is about, for messages; null when the answer says it.</summary>
    public string? Subject { get; init; }
}

/// <summary>Requests and answers over the server's socket, and what their faults are called.</summary>
internal sealed class ApiConnection
{
    private const int ConnectMilliseconds = 10_000;
    private const string SeeStatus = "See what 'pelican client-api status' says.";

    /// <summary>A job may have very many transfers.</summary>
    private const int MostAnswerBytes = 256 * 1024 * 1024;

    private readonly ApiSocket _socket;
    private readonly ApiClientOptions _options;
    private bool _met;

    /// <summary>Makes it; connects at the first request.</summary>
    /// <param name="options">How the server is found.</param>
    public ApiConnection(ApiClientOptions options) => (_socket, _options) = (options.Socket ?? ApiSocket.Usual(), options);

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
        catch (ApiException e) when (e.Fault == ApiFault.NotRunning && _options.Start is not null && !_met)
        {
            _met = true;
            return await StartAndSendAsync(request, type, _options.Start, cancellationToken);
        }
    }

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
        cancellationToken.ThrowIfCancellationRequested();
        using CancellationTokenSource limit = new();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using ApiExchange exchange = new(Connect(), MostAnswerBytes, _options.Holds);
        try
        {
            Task<ApiReply> asked = exchange.RunAsync(request, either.Token);
            using ITimer? timer = asked.IsCompleted ? null
                : _options.Clock.CreateTimer(source => ((CancellationTokenSource)source!).Cancel(), limit, request.Limit, Timeout.InfiniteTimeSpan);
            ApiReply reply = await asked;
            return reply.Status is >= 200 and < 300
                ? JsonSerializer.Deserialize(reply.Body.Span, type) ?? throw Foreign(null)
                : throw Refusal(request, reply);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException(ApiFault.TimedOut, $"the Client API server at {_socket.Shown} has not answered within {request.Limit.TotalSeconds:0} s")
            {
                Detail = SeeStatus,
            };
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new ApiException(ApiFault.Broken, $"the Client API server at {_socket.Shown} broke the connection", e) { Detail = SeeStatus };
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw Foreign(e);
        }
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
                if (FileInTheWay(path) is { } file)
                {
                    throw new ApiException(ApiFault.Unreachable, $"'{path}' cannot be the socket of the Client API server: '{file}' is not a directory", e)
                    {
                        Detail = "Set HOME to a directory, or name a socket with --socket.",
                    };
                }

                // First of all: what it is can be asked by whoever may not write to it, and to whom the kernel says no more than that.
                if (Directory.Exists(path) || new FileInfo(path) is { Exists: true, Length: > 0 })
                {
                    throw new ApiException(ApiFault.Unreachable, $"'{path}' is not a socket", e) { Detail = "Name that of the Client API server." };
                }

                if (!IsNobodyThere(e))
                {
                    throw Unreachable(e, path);
                }
            }
        }

        throw new ApiException(ApiFault.NotRunning, "Client API server is not running") { Detail = "Start it with 'pelican client-api serve'" };
    }

    private static string? FileInTheWay(string path)
    {
        string? directory = Path.GetDirectoryName(path);
        while (directory is not null && !File.Exists(directory))
        {
            directory = Directory.Exists(directory) ? null : Path.GetDirectoryName(directory);
        }

        return directory;
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

    private ApiException Refusal(ApiCall request, ApiReply reply)
    {
        ApiError error;
        try
        {
            error = JsonSerializer.Deserialize(reply.Body.Span, ApiJson.Default.ApiError) ?? throw Foreign(null);
        }
        catch (JsonException e)
        {
            throw Foreign(e);
        }

        string subject = request.Subject is { } about ? about + ": " : "";
        return new ApiException(ApiFault.Refused, subject + error.Error)
        {
            Code = error.Code,
            Status = reply.Status,
            Retryable = error.Retryable,
            Detail = error.Detail,
        };
    }
}
