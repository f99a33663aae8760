using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;

namespace Pelican.Transfer;

/// <summary>Turns what the network, a server or the disk did into a row of the error table.</summary>
internal static class Faults
{
    /// <summary>Longest text of a server that is shown (federation-protocol, appendix B).</summary>
    private const int MaxServerText = 512;

    /// <summary>Most bytes of an error body that are read.</summary>
    private const int MaxErrorBody = 64 * 1024;

    private static readonly string[] MessageMembers = ["error", "msg", "detail"];

    /// <summary>Longest time spent on the body of an error.</summary>
    private static readonly TimeSpan ErrorBodyLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(1);

    /// <summary>Whether an exception is a fault of the network or the peer, not of this program.</summary>
    public static bool IsTransport(Exception exception) =>
        exception is HttpRequestException or IOException or SocketException or AuthenticationException;

    /// <summary>Whether a status tells of a bad moment: the same question may be answered in a while.</summary>
    public static bool IsPassing(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>What the socket said; null when it was not the socket.</summary>
    public static SocketError? SocketErrorOf(Exception exception) => Find<SocketException>(exception)?.SocketErrorCode;

    /// <summary>Classifies a failed exchange with a server.</summary>
    /// <param name="exception">What was thrown; <see cref="IsTransport"/> holds.</param>
    /// <param name="server">Host and port.</param>
    /// <param name="bodyStarted">Whether the answer's head had arrived.</param>
    public static PelicanException FromTransport(Exception exception, string server, bool bodyStarted = false)
    {
        SocketError? socket = Find<SocketException>(exception)?.SocketErrorCode;
        HttpRequestError kind = (exception as HttpRequestException)?.HttpRequestError
            ?? (exception as HttpIOException)?.HttpRequestError ?? HttpRequestError.Unknown;
        // Without an inner fault it is our own verdict on the certificate; with one, the handshake broke.
        if (Find<AuthenticationException>(exception) is { InnerException: null } tls)
        {
            return new PelicanException(Errors.Certificate, $"no secure connection to {server}: {Clean(tls.Message)}", (tls as CertificateFault)?.NextStep, exception);
        }

        return kind switch
        {
            HttpRequestError.NameResolutionError => Setup($"the name of {server} does not resolve"),
            HttpRequestError.ConfigurationLimitExceeded => new PelicanException(Errors.Protocol,
                $"{server} sends more headers than are taken ({Clean(Deepest(exception).Message)})", inner: exception)
            {
                Retryable = false,
            },
            HttpRequestError.ProxyTunnelError => Setup($"the proxy refused to connect to {server}"),
            _ when socket is SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData =>
                Setup($"the name of {server} does not resolve"),
            _ when socket is SocketError.ConnectionRefused => Setup($"{server} refused the connection"),
            _ when socket is SocketError.TimedOut => Setup($"connecting to {server} took too long"),
            _ when socket is SocketError.NetworkUnreachable or SocketError.HostUnreachable => Setup($"there is no route to {server}"),
            _ when socket is SocketError.TooManyOpenSockets => new PelicanException(Errors.ConnectionSetup,
                $"no connection to {server}: this process has too many files open", "'ulimit -n' shows the limit of this shell.", exception),
            _ when kind is HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError => Setup($"no connection to {server}: {Clean(Deepest(exception).Message)}"),
            _ when socket is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted =>
                new PelicanException(Errors.ConnectionReset, $"{server} broke the connection", inner: exception),
            HttpRequestError.ResponseEnded => new PelicanException(Errors.ConnectionReset,
                bodyStarted ? $"{server} ended the transfer early" : $"{server} closed the connection without an answer", inner: exception),
            _ => new PelicanException(bodyStarted ? Errors.Transfer : Errors.Protocol,
                $"the exchange with {server} failed: {Clean(Deepest(exception).Message)}", inner: exception)
            {
                // What is no HTTP will be none the next time.
                Retryable = bodyStarted || kind != HttpRequestError.InvalidResponse,
            },
        };

        PelicanException Setup(string message) => new(Errors.ConnectionSetup, message, inner: exception);
    }

    /// <summary>What to do with a collection where an object was meant.</summary>
    public const string OfCollection = "Download everything in it with -r, or name an object; 'pelican object ls' shows them.";

    /// <summary>A collection where an object was meant.</summary>
    public static PelicanException IsCollection(ObjectPath path) => new(Errors.IsCollection, $"'{path}' is a collection, not an object", OfCollection);

    /// <summary>A collection that is not removed with what is in it, unless that was asked for.</summary>
    public static PelicanException NotEmpty(ObjectPath path) =>
        new(Errors.CollectionNotEmpty, $"'{path}' is a collection that is not empty", "Delete what is in it first, or delete it whole with -r.");

    /// <summary>What to do when something is not there.</summary>
    public static string WhereToLook(ObjectPath path) => path.Decoded.Contains('*', StringComparison.Ordinal)
        ? "A '*' in a URL stands for itself: name each object, or a collection with -r."
        : "Check the spelling of the path; 'pelican object ls' shows what is there.";

    /// <summary>Classifies a status that ends a request (federation-protocol 3.5; xrootd.md 2).</summary>
    /// <param name="response">The refused answer; its body is read here, within bounds.</param>
    /// <param name="what">The object, for the message.</param>
    /// <param name="server">Host and port.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<PelicanException> FromStatusAsync(
        HttpResponseMessage response, ObjectPath what, string server, CancellationToken cancellationToken)
    {
        string text = await ReadTextAsync(response, cancellationToken);
        int status = (int)response.StatusCode;
        string said = text.Length == 0 ? $"HTTP status {status}" : $"HTTP status {status}: {text}";
        return response.StatusCode switch
        {
            HttpStatusCode.NotFound => new PelicanException(Errors.NotFound, $"{server} has no '{what}' ({said})", WhereToLook(what)),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                new PelicanException(Errors.Authorization, $"{server} refused access to '{what}' ({said})"),
            HttpStatusCode.TooManyRequests => Throttled(response, text, server),
            HttpStatusCode.GatewayTimeout => new PelicanException(Errors.TimedOut,
                $"{server} timed out waiting for the origin of '{what}' ({said})")
            {
                RetryAfter = RetryAfterOf(response),
            },
            HttpStatusCode.InsufficientStorage => new PelicanException(Errors.ServerFull,
                $"{server} has no space left for '{what}' ({said})", "Tell whoever runs the origin, or free space there."),
            HttpStatusCode.Conflict or HttpStatusCode.MethodNotAllowed when text.Contains("is a directory", StringComparison.Ordinal) =>
                new PelicanException(Errors.IsCollection, $"'{what}' is a collection at {server} ({said})"),
            HttpStatusCode.Locked => new PelicanException(Errors.Transfer,
                $"'{what}' is being written by someone else at {server} ({said})"),
            HttpStatusCode.RequestTimeout => new PelicanException(Errors.TimedOut, $"{server} waited too long for the request for '{what}' ({said})")
            {
                RetryAfter = RetryAfterOf(response),
            },
            _ when status is >= 400 and < 500 =>
                new PelicanException(Errors.Specification, $"{server} refused the request for '{what}' ({said})"),
            _ => new PelicanException(Errors.Transfer, $"{server} failed at '{what}' ({said})") { RetryAfter = RetryAfterOf(response) },
        };
    }

    /// <summary>Classifies a fault of the local file system.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="path">The file.</param>
    /// <param name="doing">What was being done: <c>write</c>, <c>read</c>, <c>create</c>.</param>
    public static PelicanException FromLocal(Exception exception, string path, string doing)
    {
        // HResult of an IOException carries errno on Unix.
        const int enospc = 28, edquot = 122, erofs = 30, enametoolong = 36, eloop = 40, enotdir = 20, efbig = 27;
        return exception switch
        {
            UnauthorizedAccessException => new PelicanException(Errors.LocalDenied, $"may not {doing} '{path}': permission denied",
                "Check the permissions of the file and of its directory.", exception),
            // .NET reads names as UTF-8, and cannot write what was not.
            FileNotFoundException or DirectoryNotFoundException when path.Contains('\uFFFD', StringComparison.Ordinal) =>
                new PelicanException(Errors.LocalFileNotFound, $"cannot {doing} '{path}': the name has bytes that are not UTF-8", "Rename it.", exception),
            FileNotFoundException or DirectoryNotFoundException => new PelicanException(Errors.LocalFileNotFound,
                $"cannot {doing} '{path}': there is no such file or directory", inner: exception),
            IOException { HResult: enospc or edquot } => new PelicanException(Errors.LocalFull,
                $"cannot {doing} '{path}': {(exception.HResult == edquot ? "the disk quota is used up" : "no space is left on the device")}",
                "Free some space, or choose another destination, and try again.", exception),
            IOException { HResult: erofs } => new PelicanException(Errors.LocalDenied, $"cannot {doing} '{path}': the file system is read-only",
                inner: exception),
            // The latter is what .NET makes of it where it writes at an offset.
            IOException { HResult: efbig } or ArgumentOutOfRangeException => new PelicanException(Errors.Local,
                $"cannot {doing} '{path}': it would be larger than a file may be here",
                "'ulimit -f' shows the limit of this shell; else it is that of the file system.", exception),
            PathTooLongException or IOException { HResult: enametoolong } => new PelicanException(Errors.Local,
                $"cannot {doing} '{path}': the name is too long for this file system", "Choose a shorter destination name.", exception),
            IOException { HResult: eloop } => new PelicanException(Errors.Local, $"cannot {doing} '{path}': its links lead in a circle", inner: exception),
            IOException { HResult: enotdir } => new PelicanException(Errors.Local,
                $"cannot {doing} '{path}': a part of the path is not a directory", inner: exception),
            _ => new PelicanException(Errors.Local, $"cannot {doing} '{path}': {Clean(exception.Message)}", inner: exception),
        };
    }

    /// <summary>Reads the text of an error answer, bounded, on one line and without control characters.</summary>
    public static async Task<string> ReadTextAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (HttpStack.CodingOf(response) is { } coding)
        {
            return Clean($"a text in the coding '{coding}', which was not asked for");
        }

        byte[] buffer = new byte[MaxErrorBody];
        int length = 0;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ErrorBodyLimit);
        try
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(limit.Token);
            int read;
            while (length < buffer.Length && (read = await body.ReadAsync(buffer.AsMemory(length), limit.Token)) > 0)
            {
                length += read;
            }
        }
        catch (Exception e) when (IsTransport(e) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The status is what matters; its text is only a help.
        }

        string text = Encoding.UTF8.GetString(buffer, 0, length);
        return Clean(JsonMessage(text) ?? text);
    }

    /// <summary>Makes a text of a peer fit for a line on a terminal.</summary>
    /// <remarks>Secrets go first: a half of one would be known by nobody. What <see cref="Redactor"/> was taught goes at the edges.</remarks>
    public static string Clean(string text)
    {
        text = Redactor.RedactShapes(WebUtility.HtmlDecode(text));
        StringBuilder clean = new(Math.Min(text.Length, MaxServerText));
        foreach (Rune c in text.EnumerateRunes())
        {
            // Format characters too: some turn the direction of what follows on the terminal.
            bool blank = c.Value == ' ' || Rune.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
            if (blank && (clean.Length == 0 || clean[^1] == ' '))
            {
                continue;
            }

            if (clean.Length + c.Utf16SequenceLength > MaxServerText)
            {
                clean.Append('…');
                break;
            }

            clean.Append(blank ? " " : c.ToString());
        }

        return clean.ToString().TrimEnd();
    }

    /// <summary>The wait a server asks for, at most an hour; null when it asks for none.</summary>
    public static TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        RetryConditionHeaderValue? header = response.Headers.RetryAfter;
        TimeSpan? wait = header?.Delta ?? (header?.Date - response.Headers.Date);
        return wait is { } w && w >= TimeSpan.Zero ? (w < MaxRetryAfter ? w : MaxRetryAfter) : null;
    }

    private static PelicanException Throttled(HttpResponseMessage response, string text, string server)
    {
        ErrorRow row = text switch
        {
            _ when text.StartsWith("origin_unresponsive", StringComparison.Ordinal) => Errors.OriginUnresponsive,
            _ when text.StartsWith("origin_slow", StringComparison.Ordinal) => Errors.OriginSlow,
            _ => Errors.Overloaded,
        };
        TimeSpan? wait = RetryAfterOf(response);
        string after = wait is { } w ? $"; it asks to wait {w.TotalSeconds:0} s" : "";
        return new PelicanException(row, $"{server} is overloaded (HTTP status 429: {text}){after}") { RetryAfter = wait };
    }

    // {"error":"slug","detail":"…"} of Pelican's caches, {"status":"error","msg":"…"} of its directors.
    private static string? JsonMessage(string text)
    {
        if (!text.AsSpan().TrimStart().StartsWith("{"))
        {
            return null;
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            IEnumerable<string> parts = MessageMembers
                .Where(name => json.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String)
                .Select(name => json.RootElement.GetProperty(name).GetString()!)
                .Where(value => value.Length > 0);
            string joined = string.Join(": ", parts);
            return joined.Length == 0 ? null : joined;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter for a string that is no text: half a surrogate pair.
            return null;
        }
    }

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found)
            {
                return found;
            }
        }

        return null;
    }

    private static Exception Deepest(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }
}
