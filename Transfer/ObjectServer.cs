using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Xml;

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

    /// <summary>In an entry of a listing whose server names no size.</summary>
    private const long UnknownSize = -1;

    private static readonly HttpMethod Propfind = new("PROPFIND");
    private static readonly HttpMethod Mkcol = new("MKCOL");

    // What it says it is; null until it has answered.
    private volatile string? _software;

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

    /// <summary>Asks what is there (PROPFIND, depth 0; HEAD where there is no WebDAV).</summary>
    /// <returns>Null when nothing is there.</returns>
    public async Task<ObjectInfo?> StatAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await PropfindAsync("0", cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.MultiStatus:
                await foreach (ObjectInfo info in EntriesAsync(response, cancellationToken))
                {
                    return info.Size < 0 ? info with { Size = (await HeadStatAsync(cancellationToken))?.Size ?? 0 } : info;
                }

                throw new PelicanException(Errors.Protocol, $"{Name} describes nothing when asked for '{path}'");
            case HttpStatusCode.NotFound:
                return null;
            case HttpStatusCode.Conflict:
                // A cache in front of an HTTP origin, asked for a collection (xrootd.md 12.1.5).
                return new ObjectInfo(path.Decoded, 0, null, IsCollection: true);
            case HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented:
                return await HeadStatAsync(cancellationToken);
            default:
                throw await RefusalAsync(response, cancellationToken);
        }
    }

    /// <summary>Lists a collection (PROPFIND, depth 1); an object lists as itself.</summary>
    /// <exception cref="PelicanException">Among others <see cref="Errors.Protocol"/>: the listing is cut, malformed or hostile.</exception>
    public async Task<IReadOnlyList<ObjectInfo>> ListAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await PropfindAsync("1", cancellationToken);
        if (response.StatusCode is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented)
        {
            throw new PelicanException(Errors.NotSupported, $"{Name} does not offer listings of '{path}'",
                "Ask for an object by its full name; 'object stat' and 'object get' work without listings.");
        }

        if (response.StatusCode != HttpStatusCode.MultiStatus)
        {
            throw await RefusalAsync(response, cancellationToken);
        }

        List<ObjectInfo> children = [];
        ObjectInfo? self = null;
        await foreach (ObjectInfo info in EntriesAsync(response, cancellationToken))
        {
            if (self is null && info.Path == path.Decoded)
            {
                self = info;
            }
            else
            {
                children.Add(info);
            }
        }

        if (self is null && children.Count == 0)
        {
            // An empty collection shows itself: this may be what is left of a listing.
            throw new PelicanException(Errors.Protocol, $"{Name} describes nothing when asked to list '{path}'");
        }

        IEnumerable<ObjectInfo> shown = self is { IsCollection: false } && children.Count == 0 ? [self] : children;
        return [.. shown.Select(info => info.Size == UnknownSize ? info with { Size = 0 } : info)];
    }

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

    /// <summary>Sends an object.</summary>
    /// <param name="content">The bytes, with their length.</param>
    /// <param name="expect">Ask before sending (<c>Expect: 100-continue</c>): never for an empty body (xrootd.md 6.3).</param>
    /// <param name="limit">Longest wait from the request to the answer's head; the content watches itself.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <remarks>The content can be sent once: a redirect is not followed unless the server was asked first.</remarks>
    public Task<HttpResponseMessage> PutAsync(Func<HttpContent> content, bool expect, TimeSpan limit, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, request =>
        {
            request.Content = content();
            request.Headers.ExpectContinue = expect;
        }, limit, cancellationToken);

    /// <summary>Removes the object or empty collection.</summary>
    /// <returns>False when nothing was there.</returns>
    public async Task<bool> DeleteAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Delete, _ => { }, settings.ResponseHeaderTimeout, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK or HttpStatusCode.NoContent or HttpStatusCode.Accepted => true,
            HttpStatusCode.NotFound => false,
            _ => throw await RefusalAsync(response, cancellationToken),
        };
    }

    /// <summary>Makes a collection. Servers differ in what they say when it is there already (xrootd.md 7.2).</summary>
    public async Task MakeCollectionAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(Mkcol, _ => { }, settings.ResponseHeaderTimeout, cancellationToken);
        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.NoContent))
        {
            throw await RefusalAsync(response, cancellationToken);
        }
    }

    /// <summary>The error of an answer that refused or failed.</summary>
    public async Task<PelicanException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden && tokens is not null)
        {
            string text = await Faults.ReadTextAsync(response, cancellationToken);
            return tokens.Refused(path, Name, text.Length == 0 ? null : text);
        }

        return await Faults.FromStatusAsync(response, path, Name, cancellationToken);
    }

    private async Task<ObjectInfo?> HeadStatAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await HeadAsync(cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => new ObjectInfo(path.Decoded, response.Content.Headers.ContentLength ?? 0,
                response.Content.Headers.LastModified, IsCollection: false),
            HttpStatusCode.NotFound => null,
            _ => throw await RefusalAsync(response, cancellationToken),
        };
    }

    private Task<HttpResponseMessage> HeadAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Head, _ => { }, settings.ResponseHeaderTimeout, cancellationToken);

    private Task<HttpResponseMessage> PropfindAsync(string depth, CancellationToken cancellationToken) =>
        SendAsync(Propfind, request => request.Headers.TryAddWithoutValidation("Depth", depth), settings.ResponseHeaderTimeout, cancellationToken);

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
        }, url, tokens?.Token?.Value, limit, sender, cancellationToken);
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

    // XRootD cuts names at a '?'; one with a line feed it keeps, but its listings of the collection come apart.
    private bool IsMisread(bool creates) =>
        path.Encoded.Contains("%3F", StringComparison.Ordinal) || (creates && path.Encoded.Contains("%0A", StringComparison.Ordinal));

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
                $"{Name} cannot keep the name '{path}': a line feed in a name spoils XRootD's listings of all that is beside it",
                "Rename the object, without a line feed.");
    }

    private async IAsyncEnumerable<ObjectInfo> EntriesAsync(
        HttpResponseMessage response, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // XRootD writes names as they are, others escape them (xrootd.md 8.4).
        bool literal = IsXrootd();
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using CancellationTokenSource silence = new(settings.StoppedTransferTimeout, http.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        await using IAsyncEnumerator<MultistatusEntry> entries = Multistatus.ReadAsync(body, either.Token).GetAsyncEnumerator(either.Token);
        bool first = true;
        while (true)
        {
            try
            {
                silence.CancelAfter(settings.StoppedTransferTimeout);
                if (!await entries.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (Exception e) when (e is XmlException || Faults.IsTransport(e))
            {
                throw new PelicanException(Errors.Protocol, $"the listing of '{path}' from {Name} cannot be read: {Faults.Clean(e.Message)}", inner: e);
            }

            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new PelicanException(Errors.Stopped, $"the listing of '{path}' from {Name} fell silent");
            }

            MultistatusEntry entry = entries.Current;
            string? name = ChildName(entry.Href, literal, first);
            first = false;
            string at = name is null ? path.Decoded : path == ObjectPath.Root ? "/" + name : path.Decoded + "/" + name;
            yield return new ObjectInfo(at, entry.IsCollection ? 0 : entry.Size ?? UnknownSize, entry.Modified, entry.IsCollection) { ETag = entry.ETag };
        }
    }

    /// <summary>The name of a child of this path; null for the path itself. Anything else a server names is refused.</summary>
    private string? ChildName(string href, bool literal, bool first)
    {
        string parent = ObjectPath.FromEscaped(url.AbsolutePath).Decoded.TrimEnd('/');
        // The first response repeats the request as it was sent, escapes and all.
        if (first && (SamePath(Uri.UnescapeDataString(href), parent) || SamePath(href, parent)))
        {
            return null;
        }

        string plain = literal ? href : Uri.UnescapeDataString(href);
        if (SamePath(plain, parent))
        {
            return null;
        }

        string name = plain.TrimEnd('/');
        bool child = name.StartsWith(parent + "/", StringComparison.Ordinal);
        name = child ? name[(parent.Length + 1)..] : name;
        return child && name.Length > 0 && name is not ("." or "..") && name.IndexOfAny(['/', '\0']) < 0
            ? name
            : throw new PelicanException(Errors.Protocol,
                $"{Name} lists '{Faults.Clean(plain)}', which is not in '{path}'", "Do not trust this server; tell the federation's operators.");
    }

    private static bool SamePath(string href, string parent) => href.TrimEnd('/') == parent;
}
