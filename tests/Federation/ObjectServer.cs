using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

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
    /// <summary>Where Pelican's own origins also serve their objects, and list them (federation-protocol 2.5.5).</summary>
    public const string DataPrefix = "/api/v1.0/origin/data";

    private readonly TokenCheck _tokens;
    private readonly NamespaceTable _namespaces;
    private readonly HttpClient _client;
    private readonly ConcurrentDictionary<string, bool> _writing = new();

    protected ObjectServer(ObjectServerOptions options) : base(options.Certificate, options.Dialect)
    {
        Folder = options.Folder;
        Clock = options.Clock;
        _namespaces = options.Namespaces;
        _client = options.Client;
        _tokens = new TokenCheck(options.Issuer, options.Dialect, options.Clock);
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

    /// <summary>Time of the server.</summary>
    protected TimeProvider Clock { get; }

    /// <summary>Local file of a decoded path.</summary>
    public string FileOf(string path) => Folder.TrimEnd('/') + path;

    /// <summary>Whether a file or directory is there.</summary>
    public bool Exists(string path) => Path.Exists(FileOf(path));

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
        reply.Headers["Server"] = Dialect.ServerHeader;
        if (Dialect.IsXrootd)
        {
            reply.Headers["Connection"] ??= "Keep-Alive";
            reply.Reason ??= Dialect.UnknownReasons && reply.Status is 201 or 409 or 423 or 501 ? "Unknown" : null;
        }

        return reply;
    }

    private async Task<Reply> DispatchAsync(Request request, CancellationToken cancellationToken)
    {
        string raw = request.RawPath;
        bool prefixed = !Dialect.IsXrootd && raw.StartsWith(DataPrefix + "/", StringComparison.Ordinal);
        if (request.Method == "OPTIONS")
        {
            return Options();
        }

        if (ObjectName.Parse(prefixed ? raw[DataPrefix.Length..] : raw, Dialect) is not { } name)
        {
            return Line(request, 403, $"Opening relative path &apos;{request.Path}&apos; is disallowed.\n");
        }

        if (name.Path.Split('/').Any(component => Encoding.UTF8.GetByteCount(component) > 255))
        {
            return Failure(request, Dialect.TooLongStatus, request.Method == "PUT" ? "create" : "open", name.Path, "file name too long");
        }

        if (_namespaces.Find(name.Path) is not { } ns)
        {
            return Dialect.IsXrootd ? Denied(request, name.Path) : Failure(request, 404, "open", name.Path, "not_found");
        }

        return request.Method switch
        {
            "GET" or "HEAD" => await GetAsync(request, ns, name, cancellationToken),
            "PUT" => await PutAsync(request, ns, name, cancellationToken),
            "DELETE" => Delete(request, ns, name),
            "MKCOL" => MakeCollection(request, ns, name),
            "MOVE" => Move(request, ns, name),
            "PROPFIND" => await PropFindAsync(request, ns, name, prefixed ? DataPrefix : "", cancellationToken),
            "COPY" => await CopyAsync(request, ns, name, cancellationToken),
            _ => UnknownMethod(request),
        };
    }

    private Reply Options()
    {
        Reply reply = new(200);
        reply.Headers.Add("DAV", "1");
        reply.Headers.Add("DAV", "<http://apache.org/dav/propset/fs/1>");
        reply.Headers.Add("Allow", "HEAD,GET,PUT,PROPFIND,DELETE,OPTIONS" + (HasCopy ? ",COPY" : ""));
        return reply;
    }

    private Reply UnknownMethod(Request request) => !Dialect.IsXrootd
        ? Failure(request, 405, "serve", request.Path, "method_not_allowed")
        : request.Method is "POST" or "PATCH" ? Line(request, 501, "Request not supported.")
        : Line(request, 400, Dialect.InodeETag ? "OK" : "Request unknown");

    private bool Allows(Request request, FederationNamespace ns, string path, Access access) =>
        _tokens.Allows(request, ns, path, access, Url);

    private Reply Denied(Request request, string path) =>
        !Dialect.IsXrootd && _tokens.TokenOf(request) is null
            ? Failure(request, 401, "open", path, "unauthorized")
            : Failure(request, 403, "open", path, Dialect.IsXrootd ? "permission denied" : "authorization_denied");

    /// <summary>The shape of errors: one plain line from XRootD (xrootd.md 2.2, 13.1), JSON from Pelican.</summary>
    private protected Reply Failure(Request request, int status, string verb, string path, string text)
    {
        if (!Dialect.IsXrootd)
        {
            return Reply.Json(status, new JsonObject { ["error"] = text, ["detail"] = $"cannot {verb} {path}" }.ToJsonString());
        }

        return Line(request, status, $"Unable to {verb} {path}; {text}\n");
    }

    /// <summary>An error of XRootD. The connection closes, whatever it says of it (xrootd.md 6.4, 13.1).</summary>
    private protected static Reply Line(Request request, int status, string line)
    {
        Reply reply = new(status, request.Method == "HEAD" ? "" : line) { Close = true };
        reply.Headers["Connection"] = request.Method is "PUT" or "DELETE" or "COPY" ? null : "Close";
        return reply;
    }

    private static string Rfc1123(DateTime utc) => utc.ToString("R", CultureInfo.InvariantCulture);
}
