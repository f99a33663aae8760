using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Pelican.Federation;

/// <summary>What an object server has at a path.</summary>
/// <param name="Entry">File or directory; null when there is nothing.</param>
/// <param name="Age">Seconds in the cache; null for what is not cached whole.</param>
/// <param name="Failure">Answer to give instead.</param>
internal sealed record Found(FileSystemInfo? Entry, int? Age = null, Reply? Failure = null);

/// <summary>How to make an object server.</summary>
public sealed record ObjectServerOptions
{
    /// <summary>Certificate for TLS; null for plain HTTP.</summary>
    public required X509Certificate2? Certificate { get; init; }

    public required Dialect Dialect { get; init; }

    /// <summary>Directory that holds the objects by their paths; made if missing.</summary>
    public required string Folder { get; init; }

    public required NamespaceTable Namespaces { get; init; }

    public required TokenIssuer Issuer { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Client for third-party copies, which trusts the federation's authority.</summary>
    public required HttpClient Client { get; init; }
}

/// <summary>An origin or cache over a directory, in one of the dialects. HTTP and WebDAV are in the other parts of this class.</summary>
public abstract partial class ObjectServer : FederationServer
{
    /// <summary>Where Pelican's own origins serve their objects when they share a process with a director (pelican-servers.md 1).</summary>
    public const string DataPrefix = "/api/v1.0/origin/data";

    private readonly TokenCheck _tokens;
    private readonly NamespaceTable _namespaces;
    private readonly HttpClient _client;
    private readonly ConcurrentDictionary<string, bool> _writing = new();

    protected ObjectServer(ObjectServerOptions options, bool isCache) : base(options.Certificate, options.Dialect)
    {
        Folder = options.Folder;
        Clock = options.Clock;
        _namespaces = options.Namespaces;
        _client = options.Client;
        _tokens = new TokenCheck(options.Issuer, options.Dialect, options.Clock, isCache);
        Prefix = options.Dialect.IsXrootd || isCache ? "" : DataPrefix;
        Directory.CreateDirectory(Folder);
    }

    /// <summary>Directory that holds the objects by their paths.</summary>
    public string Folder { get; }

    /// <summary>Whether the server can compute digests (xrootd.md 5.4).</summary>
    public bool HasDigests { get; set; } = true;

    /// <summary>Whether third-party copy is configured.</summary>
    public bool HasCopy { get; set; } = true;

    /// <summary>Bytes that may still be written before the disk is full.</summary>
    public long SpaceLeft { get; set; } = long.MaxValue;

    /// <summary>
    /// A PUT that was cut keeps its lock until this lets a byte through; null: until the server has noticed
    /// (pelican-servers.md 7.4).
    /// </summary>
    public Gate? LockGate { get; set; }

    /// <summary>Time of the server.</summary>
    protected TimeProvider Clock { get; }

    /// <summary>Local file of a decoded path.</summary>
    public string FileOf(string path) => Folder.TrimEnd('/') + path;

    /// <summary>Whether a file or directory is there.</summary>
    public bool Exists(string path) => Path.Exists(FileOf(path));

    /// <summary>Whether a HEAD finds it: collections are not found at Pelican's origins (pelican-servers.md 17.3).</summary>
    public bool HasObject(string path) => Dialect.IsXrootd ? Exists(path) : File.Exists(FileOf(path));

    /// <summary>Puts an object there without asking anybody.</summary>
    /// <param name="path">Decoded path.</param>
    /// <param name="bytes">Its content.</param>
    /// <param name="modified">Its time; null for the server's now.</param>
    public void Store(string path, byte[] bytes, DateTimeOffset? modified = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FileOf(path))!);
        File.WriteAllBytes(FileOf(path), bytes);
        File.SetLastWriteTimeUtc(FileOf(path), (modified ?? Clock.GetUtcNow()).UtcDateTime);
    }

    /// <summary>Puts a text there without asking anybody.</summary>
    public void Store(string path, string text) => Store(path, Encoding.UTF8.GetBytes(text));

    /// <summary>The bytes that are there.</summary>
    public byte[] Load(string path) => File.ReadAllBytes(FileOf(path));

    /// <summary>Finds what is served at a path; a cache fetches it for a GET of the whole.</summary>
    private protected abstract Task<Found> FindAsync(Request request, string path, CancellationToken cancellationToken);

    protected override async Task<Reply> HandleAsync(Request request, CancellationToken cancellationToken)
    {
        Reply reply = await DispatchAsync(request, cancellationToken);
        if (Dialect.IsXrootd)
        {
            reply.Headers["Connection"] ??= "Keep-Alive";
            reply.Reason ??= Dialect.UnknownReasons && reply.Status is 201 or 409 or 423 or 501 ? "Unknown" : null;
        }
        else if (request.Method == "PUT" && reply.Status >= 400)
        {
            await RefuseLateAsync(request, reply, cancellationToken);
        }

        reply.Headers["Server"] = Dialect.IsXrootd || SharedWith is not null ? Dialect.ServerHeader : null;
        return reply;
    }

    private async Task<Reply> DispatchAsync(Request request, CancellationToken cancellationToken)
    {
        if (request.Method == "OPTIONS")
        {
            return Options();
        }

        if (ObjectName.Parse(request.RawPath[request.Prefix.Length..], Dialect) is not { } name)
        {
            return Dialect.IsXrootd ? Line(request, 403, $"Opening relative path &apos;{request.Path}&apos; is disallowed.\n") : NoRoute();
        }

        if (name.Path.Split('/').Any(component => Encoding.UTF8.GetByteCount(component) > 255))
        {
            return Failure(request, Dialect.TooLongStatus, request.Method == "PUT" ? "create" : "open", name.Path, "file name too long");
        }

        if (_namespaces.Find(name.Path) is not { } ns)
        {
            return Dialect.IsXrootd ? Denied(request, name.Path, Access.Read) : NoNamespace(request, name.Path);
        }

        if (!Dialect.IsXrootd && name.Path == ns.Prefix && !name.EndsWithSlash)
        {
            return AddSlash(request);
        }

        return request.Method switch
        {
            "GET" or "HEAD" => await GetAsync(request, ns, name, cancellationToken),
            "PUT" => await PutAsync(request, ns, name, cancellationToken),
            "DELETE" => Delete(request, ns, name),
            "MKCOL" => MakeCollection(request, ns, name),
            "MOVE" => Move(request, ns, name),
            "PROPFIND" => await PropFindAsync(request, ns, name, cancellationToken),
            "COPY" => await CopyAsync(request, ns, name, cancellationToken),
            _ => UnknownMethod(request),
        };
    }

    private Reply Options()
    {
        Reply reply = new(200);
        if (!Dialect.IsXrootd)
        {
            reply.Headers.Add("Allow", "HEAD,GET,PUT,PROPFIND,COPY,OPTIONS,POST");
            return reply;
        }

        reply.Headers.Add("DAV", "1");
        reply.Headers.Add("DAV", "<http://apache.org/dav/propset/fs/1>");
        reply.Headers.Add("Allow", "HEAD,GET,PUT,PROPFIND,DELETE,OPTIONS" + (HasCopy ? ",COPY" : ""));
        return reply;
    }

    /// <summary>The root of a namespace is served with a slash alone; the redirect has no <c>Server</c> (pelican-servers.md 3, 9.3).</summary>
    private protected virtual Reply AddSlash(Request request)
    {
        bool reads = request.Method is "GET" or "HEAD";
        Reply reply = new(reads ? 301 : 307);
        reply.Headers["Location"] = request.RawPath + "/" + (request.Query.Length == 0 ? "" : "?" + request.Query);
        return reply;
    }

    /// <summary>A cache's answer that is another server's; null where it answers itself.</summary>
    private protected virtual Reply? PassOn(Request request, string path) => null;

    /// <summary>A cache's PUT at its origin; null where the object is stored here.</summary>
    private protected virtual Task<Reply?> PutElsewhereAsync(Request request, CancellationToken cancellationToken) =>
        Task.FromResult<Reply?>(null);

    /// <summary>Answers in the name of another server.</summary>
    internal Task<Reply> AnswerForAsync(Request request, CancellationToken cancellationToken) => DispatchAsync(request, cancellationToken);

    /// <summary>Whether a path goes on below an object.</summary>
    internal bool IsBelowObject(string path) => BelowFile(FileOf(path));

    private protected FederationNamespace? Namespace(string path) => _namespaces.Find(path);

    /// <summary>The answer for a path of no namespace.</summary>
    private protected virtual Reply NoNamespace(Request request, string path) => NoRoute();

    private static Reply NoRoute() => Reply.Plain(404, "404 page not found");

    private Reply UnknownMethod(Request request) => !Dialect.IsXrootd
        ? Reply.Plain(request.Method switch { "TRACE" => 401, "PATCH" or "PROPPATCH" or "LOCK" => 400, _ => 405 })
        : request.Method is "POST" or "PATCH" ? Line(request, 501, "Request not supported.")
        : Line(request, 400, Dialect.InodeETag ? "OK" : "Request unknown");

    /// <summary>Pelican's exports without writing refuse every token.</summary>
    private bool Allows(Request request, FederationNamespace ns, string path, Access access) =>
        (Dialect.IsXrootd || ns.Writes || access is Access.Read or Access.Stat) && _tokens.Allows(request, ns, path, access, Url);

    /// <summary>The refusal of a token, or of its absence.</summary>
    private protected virtual Reply Denied(Request request, string path, Access access)
    {
        if (Dialect.IsXrootd)
        {
            return Failure(request, 403, "open", path, "permission denied");
        }

        int tried = _tokens.TokenOf(request) is null ? 0 : 1;
        return Reply.Json(401, string.Create(CultureInfo.InvariantCulture,
            $$"""{"detail":"authorization failed for {{TokenCheck.ScopeOf(access)}} {{path}}; tried {{tried}} token(s)","error":"unauthorized"}"""));
    }

    /// <summary>Whether a request came with a token, and with one that this server takes for genuine.</summary>
    private protected (bool Sent, bool Valid) TokenOf(Request request, FederationNamespace ns) =>
        (_tokens.TokenOf(request) is not null, _tokens.IsValid(request, ns, Url));

    /// <summary>The shape of errors: one plain line from XRootD (xrootd.md 2.2, 13.1), the bare reason from Pelican's origins.</summary>
    private protected virtual Reply Failure(Request request, int status, string verb, string path, string text) =>
        Dialect.IsXrootd ? Line(request, status, $"Unable to {verb} {path}; {text}\n") : Reply.Plain(status);

    /// <summary>An error of XRootD. The connection closes, whatever it says of it (xrootd.md 6.4, 13.1).</summary>
    private protected static Reply Line(Request request, int status, string line)
    {
        Reply reply = new(status, request.Method == "HEAD" ? "" : line) { Close = true };
        reply.Headers["Connection"] = request.Method is "PUT" or "DELETE" or "COPY" ? null : "Close";
        return reply;
    }

    private static string Rfc1123(DateTime utc) => utc.ToString("R", CultureInfo.InvariantCulture);
}
