using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Pelican.Transfer;

/// <summary>
/// One object at one server: the HTTP and WebDAV verbs, with what real servers get wrong put right (xrootd.md).
/// A 401 or 403 is explained by our own reading of the token, since the server tells none of it.
/// </summary>
/// <param name="http">Connections.</param>
/// <param name="settings">Time limits.</param>
/// <param name="url">The object at this server.</param>
/// <param name="path">The object in the federation.</param>
/// <param name="tokens">Where a token was looked for; null when none is wanted: nothing is sent.</param>
internal sealed partial class ObjectServer(HttpStack http, ClientSettings settings, Uri url, ObjectPath path, TokenSearch? tokens)
{
    /// <summary>Our name behind the protocol level, for the operators' statistics.</summary>
    private static readonly string ObjectUserAgent =
        $"{HttpStack.UserAgent} pelican-native/{typeof(ObjectServer).Assembly.GetName().Version?.ToString(3)}";

    // What it says it is; null until it has answered.
    private volatile string? _software;

    // What was found in the way of this path; null for nothing yet.
    private volatile PelicanException? _inTheWay;

    /// <summary>Host and port, for messages.</summary>
    public string Name => url.Authority;

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The object at this server.</summary>
    public Uri Url => url;

    /// <summary>The object in the federation.</summary>
    public ObjectPath Path => path;

    /// <summary>Whether the token can make objects but not replace them: the server then protects what is there.</summary>
    public bool MayCreateOnly => tokens?.Token?.Claims is { } claims
        && claims.Scopes.Any(scope => scope.StartsWith("storage.create", StringComparison.Ordinal))
        && !claims.Scopes.Any(scope => scope.StartsWith("storage.modify", StringComparison.Ordinal));

    private bool MayNotLook => tokens?.Token?.Claims is { } claims && !claims.Scopes.Any(scope => scope.Split(':')[0] is "storage.read" or "storage.stage" or "read");

    /// <summary>Starts a download. The answer's status is not judged here.</summary>
    /// <param name="range">First and last byte wanted, inclusive; null for the whole object.</param>
    /// <param name="cancellationToken">Ends the wait for the head of the answer.</param>
    public Task<HttpResponseMessage> GetAsync((long First, long Last)? range, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, request =>
        {
            // Both are needed for XRootD to say at the end whether it could read everything (xrootd.md 4).
            request.Headers.TryAddWithoutValidation("TE", "trailers");
            request.Headers.TryAddWithoutValidation("X-Transfer-Status", "true");
            if (range is { } bytes)
            {
                request.Headers.Range = new RangeHeaderValue(bytes.First, bytes.Last);
            }
        }, settings.ResponseHeaderTimeout, cancellationToken);

    /// <summary>
    /// The ETag of an answer to GET; null when it proves nothing: a weak one, or XRootD's. To be compared with none but this server's to a GET.
    /// </summary>
    public string? TagOf(HttpResponseMessage response) => !IsXrootd() && response.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null;

    /// <summary>The object's time in an answer to GET; null when it says none, or that of a cache's own file.</summary>
    public DateTimeOffset? ModifiedOf(HttpResponseMessage response) => IsXrootd() ? null : response.Content.Headers.LastModified;

    /// <summary>Whether an answer in chunks may end in order though it was cut (xrootd.md 4).</summary>
    public bool EndsWhatItCannotRead => IsXrootd();

    /// <summary>The error of an answer that refused or failed.</summary>
    public async Task<PelicanException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden && tokens is not null)
        {
            string text = await Faults.ReadTextAsync(response, cancellationToken);
            return tokens.Refused(path, Name, text.Length == 0 ? null : text);
        }

        PelicanException failure = await Faults.FromStatusAsync(response, path, Name, cancellationToken);
        bool mayBeBelow = response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.Conflict
            or HttpStatusCode.InternalServerError;
        return mayBeBelow && await InTheWayAsync(cancellationToken) is { } inTheWay ? inTheWay : failure;
    }

    private Task<HttpResponseMessage> HeadAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Head, _ => { }, settings.ResponseHeaderTimeout, cancellationToken);

    private Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Action<HttpRequestMessage> prepare, TimeSpan limit, CancellationToken cancellationToken) =>
        SendAsync(method, prepare, limit, sender: null, cancellationToken);

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Action<HttpRequestMessage> prepare, TimeSpan limit, HttpMessageInvoker? sender, CancellationToken cancellationToken)
    {
        bool creates = method == HttpMethod.Put || method == Mkcol;
        if (_software is null && IsMisread(creates) && (creates || method == HttpMethod.Delete))
        {
            // First a question that changes nothing, since the change would be another object's.
            using HttpResponseMessage harmless = await HeadAsync(cancellationToken);
        }

        RefuseMisread(creates);
        long asked = http.Clock.GetTimestamp();
        HttpResponseMessage response = await http.SendAsync(at =>
        {
            HttpRequestMessage request = new(method, at);
            request.Headers.TryAddWithoutValidation("User-Agent", ObjectUserAgent);
            if (limit != Timeout.InfiniteTimeSpan)
            {
                // So that a server gives up before we do (federation-protocol 3.4.1).
                double milliseconds = limit.TotalMilliseconds <= 1000 ? limit.TotalMilliseconds / 2 : limit.TotalMilliseconds - 500;
                request.Headers.TryAddWithoutValidation("X-Pelican-Timeout", (milliseconds / 1000).ToString("0.###", CultureInfo.InvariantCulture) + "s");
            }

            prepare(request);
            return request;
        }, url, tokens?.Token?.Value, limit, sender, at => tokens?.MayGoTo(at) == true, cancellationToken);
        http.DigestTurns.Heard(Name, http.Clock.GetElapsedTime(asked));
        _software = response.Headers.TryGetValues("Server", out IEnumerable<string>? names) ? names.First() : "";
        try
        {
            RefuseMisread(creates);
        }
        catch (PelicanException)
        {
            response.Dispose();
            throw;
        }

        return response;
    }

    private bool IsXrootd(string version = "") => _software?.StartsWith("xrootd" + version, StringComparison.OrdinalIgnoreCase) == true;

    // XRootD cuts names at a '?'; one with a line feed or another control character it keeps, but its listings of the collection come apart.
    private bool IsMisread(bool creates) =>
        path.Encoded.Contains("%3F", StringComparison.Ordinal) || (creates && path.Decoded.Any(char.IsControl));

    private void RefuseMisread(bool creates)
    {
        if (!IsXrootd() || !IsMisread(creates))
        {
            return;
        }

        throw path.Encoded.Contains("%3F", StringComparison.Ordinal)
            ? new PelicanException(Errors.NotSupported,
                $"{Name} cannot keep the name '{path}': XRootD cuts names at the '?' and would take another object for it",
                "Rename the object, without a '?'.")
            : new PelicanException(Errors.NotSupported,
                $"{Name} cannot keep the name '{path}': a line feed or another control character in a name spoils XRootD's listings of all that is beside it",
                "Rename the object, without it.");
    }
}
