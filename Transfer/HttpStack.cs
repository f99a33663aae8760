using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace Pelican.Transfer;

/// <summary>
/// HTTP/1.1 for the whole process: one pool of connections, proxies from the environment, no cookies, no decompression
/// (sizes and digests are of the stored bytes), no redirects but those followed here, and tokens that never change hosts.
/// </summary>
internal sealed class HttpStack : IDisposable
{
    /// <summary>What directors and caches know us by: the protocol level first, as they parse it (federation-protocol 2.2).</summary>
    public const string UserAgent = "pelican-client/7.27.0";

    /// <summary>Time, for the limits of those who read an answer.</summary>
    public TimeProvider Clock => _clock;

    /// <summary>Waits before anything is tried again.</summary>
    public Retries Retries { get; }

    /// <summary>Who may ask which server for a digest now, and how.</summary>
    public DigestTurns DigestTurns { get; }

    /// <summary>Asks what is there.</summary>
    public static readonly HttpMethod Propfind = new("PROPFIND");

    /// <summary>Longest wait for the <c>100 Continue</c> to an announced body; a server that knows no Expect gets the body after this.</summary>
    public static readonly TimeSpan PatienceForContinue = TimeSpan.FromSeconds(1);

    private const int MaxRedirects = 10;

    private static readonly StringWithQualityHeaderValue Identity = new("identity");

    private readonly ClientSettings _settings;
    private readonly TimeProvider _clock;
    private readonly ProxyChoice _proxies;
    private readonly HttpMessageInvoker _proxied;
    private readonly HttpMessageInvoker _direct;
    private readonly Lazy<HttpMessageInvoker> _refusable;

    public HttpStack(ClientSettings settings, TimeProvider clock, Random random, ILogger log)
    {
        Retries = new Retries(settings, clock, random, log);
        _settings = settings;
        _clock = clock;
        HappyEyeballs dialer = new(settings, clock);
        RemoteCertificateValidationCallback validation = ServerTrust.Validation(settings, clock);
        _proxies = new ProxyChoice(HttpClient.DefaultProxy, settings.NoProxy);
        ProxyChoice? proxy = settings.DisableHttpProxy ? null : _proxies;
        _proxied = Invoker(proxy);
        _direct = proxy is null ? _proxied : Invoker(null);
        DigestTurns = new DigestTurns(() => Invoker(proxy), clock);
        _refusable = new Lazy<HttpMessageInvoker>(() => Invoker(proxy, (context, _) => ValueTask.FromResult<Stream>(new RefusableStream(context.PlaintextStream))));

        HttpMessageInvoker Invoker(ProxyChoice? proxies, Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>>? filter = null)
        {
            SocketsHttpHandler handler = Handler(settings, dialer, validation, proxies);
            if (filter is not null)
            {
                handler.PlaintextStreamFilter = filter;
                // Of one upload, and never used again: what was refused may be half sent.
                handler.PooledConnectionLifetime = TimeSpan.Zero;
            }

            return new HttpMessageInvoker(RequestLog.Over(handler, log, clock));
        }
    }

    /// <summary>Sends bodies whose refusal is read although they are not taken; each on a connection of its own (<see cref="RefusableStream"/>).</summary>
    public HttpMessageInvoker Refusable => _refusable.Value;

    /// <summary>Sends a request and waits for the head of the answer, following redirects where the verb allows it.</summary>
    /// <param name="makeRequest">Makes the request for a URL; called again for each redirect.</param>
    /// <param name="target">First URL.</param>
    /// <param name="token">Bearer token for the target's host; null for none. Never sent in clear, nor within a URL.</param>
    /// <param name="headerTimeout">Limit for the head of the answer.</param>
    /// <param name="sender">What sends it; null for the pool.</param>
    /// <param name="mayHaveToken">Whether the token may go to another host too; null for the target's own only.</param>
    /// <param name="cancellationToken">The caller's own.</param>
    /// <exception cref="PelicanException">No answer: a row of transport, TLS or <see cref="Errors.HeaderTimeout"/>.</exception>
    public async Task<HttpResponseMessage> SendAsync(Func<Uri, HttpRequestMessage> makeRequest, Uri target, string? token, TimeSpan headerTimeout,
        HttpMessageInvoker? sender, Predicate<Uri>? mayHaveToken, CancellationToken cancellationToken)
    {
        Uri at = target;
        bool again = false;
        for (int redirects = 0; ; redirects++)
        {
            HttpRequestMessage request = makeRequest(at);
            if (token is not null && at.Scheme == "https" && (SameHost(at, target) || mayHaveToken?.Invoke(at) == true))
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }

            HttpResponseMessage response;
            try
            {
                response = await SendOnceAsync(request, makeRequest, headerTimeout, sender ?? _proxied, cancellationToken);
            }
            catch (PelicanException e) when (e.Row == Errors.Protocol && !again && request.Method != HttpMethod.Put)
            {
                // What came may have been the rest of another answer; a new connection shows whether it is HTTP at all.
                again = true;
                continue;
            }

            RefuseCoding(response, at);
            if (RedirectOf(response, at) is not { } next)
            {
                return response;
            }

            response.Dispose();
            if (redirects == MaxRedirects)
            {
                throw new PelicanException(Errors.Protocol, $"{target.Authority} redirects without end") { Retryable = false };
            }

            // What everybody may read may come in clear, as from a server that a director names so: the digest is asked for all the same.
            bool isOpen = token is null && IsReading(request.Method);
            if (at.Scheme == "https" && next.Scheme != "https" && !isOpen)
            {
                throw new PelicanException(Errors.Protocol, $"{at.Authority} redirects to an address in clear, {next.Authority}",
                    "Neither tokens nor what is written go there: tell whoever runs the server.")
                {
                    Retryable = false,
                };
            }

            at = next;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _proxied.Dispose();
        _direct.Dispose();
        if (_refusable.IsValueCreated)
        {
            _refusable.Value.Dispose();
        }

        DigestTurns.Dispose();
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, Func<Uri, HttpRequestMessage> makeRequest, TimeSpan headerTimeout,
        HttpMessageInvoker sender, CancellationToken cancellationToken)
    {
        Uri uri = Prepare(request).RequestUri!;
        using CancellationTokenSource limit = new(headerTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await sender.SendAsync(request, either.Token);
        }
        catch (HttpRequestException e) when (ShouldGoDirect(e, uri))
        {
            HttpRequestMessage again = Prepare(makeRequest(uri));
            again.Headers.Authorization = request.Headers.Authorization;
            try
            {
                return await _direct.SendAsync(again, either.Token);
            }
            catch (Exception direct) when (Faults.IsTransport(direct) || (direct is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // The proxy is what should have been used; that a host cannot be reached or found without it means nothing here.
                PelicanException byProxy = Faults.FromTransport(e, NameOf(uri));
                string without = direct is OperationCanceledException ? $"{uri.Authority} did not answer" : Faults.FromTransport(direct, uri.Authority).Message;
                throw byProxy.With($"{byProxy.Message}; without the proxy: {without}", byProxy.NextStep);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            // Either our own limit, or the stack's for connecting: both mean that no answer came in time.
            throw new PelicanException(Errors.HeaderTimeout, $"{NameOf(uri)} did not answer within {headerTimeout.TotalSeconds:0.#} s", inner: e);
        }
        catch (Exception e) when (Faults.IsTransport(e))
        {
            throw Faults.FromTransport(e, NameOf(uri));
        }
    }

    private static HttpRequestMessage Prepare(HttpRequestMessage request)
    {
        request.Version = HttpVersion.Version11;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Headers.AcceptEncoding.Add(Identity);
        return request;
    }

    // Sizes, ranges and digests are of the stored bytes. Of an error the text alone is lost.
    private static void RefuseCoding(HttpResponseMessage response, Uri at)
    {
        if (response.IsSuccessStatusCode && response.RequestMessage?.Method != HttpMethod.Head && CodingOf(response) is { } coding)
        {
            response.Dispose();
            throw new PelicanException(Errors.Protocol,
                $"{at.Authority} sends '{Faults.Clean(at.AbsolutePath)}' in the coding '{Faults.Clean(coding)}', which was not asked for: its bytes are not the object's",
                "Tell whoever runs this server to send objects as they are stored.")
            {
                Retryable = false,
            };
        }
    }

    /// <summary>The coding that a body comes in; null when it comes as it is.</summary>
    public static string? CodingOf(HttpResponseMessage response) =>
        response.Content.Headers.ContentEncoding.FirstOrDefault(coding => !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        ?? response.Headers.TransferEncoding.FirstOrDefault(coding => !coding.Value.Equals("chunked", StringComparison.OrdinalIgnoreCase))?.Value;

    private bool ShouldGoDirect(HttpRequestException e, Uri uri) =>
        !_settings.DisableProxyFallback && !_settings.DisableHttpProxy
        && e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError or HttpRequestError.NameResolutionError
        && !_proxies.IsBypassed(uri);

    // A server behind a proxy is not to be blamed for what the proxy does.
    private string NameOf(Uri uri) => _settings.DisableHttpProxy || _proxies.IsBypassed(uri)
        ? uri.Authority
        : $"{uri.Authority} (by the proxy {_proxies.GetProxy(uri)!.Authority})";

    private static Uri? RedirectOf(HttpResponseMessage response, Uri from)
    {
        bool moved = response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
        // RFC 9110, 15.4.4: what 303 names tells of the outcome; who writes or removes again would do it there.
        bool isElsewhere = response.StatusCode == HttpStatusCode.SeeOther && !IsReading(response.RequestMessage?.Method);
        if (!moved || isElsewhere || response.Headers.Location is not { } location || response.RequestMessage?.Options.TryGetValue(NoRedirect, out _) == true)
        {
            return null;
        }

        Uri next = location.IsAbsoluteUri ? location : new Uri(from, location);
        return next.Scheme is "http" or "https" ? WithoutCredential(next) : null;
    }

    private static bool IsReading(HttpMethod? method) => method == HttpMethod.Get || method == HttpMethod.Head || method == Propfind;

    /// <summary>A URL without the token that some servers put into it: URLs are logged by every server and proxy on the way.</summary>
    internal static Uri WithoutCredential(Uri url)
    {
        string[] parts = url.Query.TrimStart('?').Split('&');
        string[] kept = [.. parts.Where(part => Uri.UnescapeDataString(part.Split('=')[0]).ToLowerInvariant() is not ("authz" or "access_token"))];
        return kept.Length == parts.Length ? url
            : DirectorHeaders.Exact(url.GetLeftPart(UriPartial.Path) + (kept.Length == 0 ? "" : "?" + string.Join('&', kept))) ?? url;
    }

    /// <summary>Set on requests whose redirect is the answer (the director's).</summary>
    public static readonly HttpRequestOptionsKey<bool> NoRedirect = new("pelican.no-redirect");

    private static bool SameHost(Uri a, Uri b) =>
        a.Scheme == b.Scheme && a.Port == b.Port && string.Equals(a.Host, b.Host, StringComparison.OrdinalIgnoreCase);

    private static SocketsHttpHandler Handler(
        ClientSettings settings, HappyEyeballs dialer, RemoteCertificateValidationCallback validation, ProxyChoice? proxy) => new()
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = proxy is not null,
            Proxy = proxy,
            ActivityHeadersPropagator = null,
            ConnectCallback = (context, cancellationToken) => dialer.ConnectAsync(context.DnsEndPoint, cancellationToken),
            ConnectTimeout = settings.DialerTimeout + settings.TlsHandshakeTimeout,
            PooledConnectionIdleTimeout = settings.IdleConnectionTimeout,
            Expect100ContinueTimeout = PatienceForContinue,
            MaxConnectionsPerServer = Math.Max(settings.MaxIdleConnections, settings.WorkerCount * 2),
            // What a few thousand small error bodies cost to read is less than a new TLS connection each.
            MaxResponseDrainSize = 256 * 1024,
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = validation },
        };
}
