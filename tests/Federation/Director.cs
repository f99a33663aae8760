using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Pelican.Federation;

/// <summary>
/// Discovery and director in one server: says by 307 which servers have an object (federation-protocol 1.6, 2). It names the
/// federation's own origins and caches, or any servers that a namespace names.
/// </summary>
public sealed partial class Director(
    X509Certificate2? certificate, NamespaceTable namespaces, TokenIssuer issuer, TimeProvider clock)
    : FederationServer(certificate, Dialect.Pelican)
{
    /// <summary>How many servers a director names at most (2.4.2).</summary>
    private const int MaximumServers = 6;

    /// <summary>What it sends; may change while it runs.</summary>
    public DirectorStyle Style { get; set; } = DirectorStyle.Current;

    /// <summary>Whether discovery names a director; without one, the discovery host serves the objects (2.11).</summary>
    public bool NamesDirector { get; set; } = true;

    internal IReadOnlyList<Origin> Origins { get; set; } = [];

    internal IReadOnlyList<Cache> Caches { get; set; } = [];

    protected override Task<Reply> HandleAsync(Request request, CancellationToken cancellationToken)
    {
        Reply reply = request.Path == "/.well-known/pelican-configuration" ? Discovery() : Direct(request);
        return Task.FromResult(Sign(request, reply));
    }

    /// <summary>The redirect to a namespace's origins, as caches pass it on (pelican-servers.md 9).</summary>
    internal Reply ToOrigins(Request request) => Sign(request, Direct(request));

    private Reply Sign(Request request, Reply reply)
    {
        reply.Headers["Server"] = Style.Server;
        reply.Headers["X-Pelican-JobId"] = request.Headers["X-Pelican-JobId"] ?? Guid.NewGuid().ToString();
        return reply;
    }

    private Reply Discovery()
    {
        JsonObject document = new() { ["discovery_endpoint"] = Url, ["jwks_uri"] = issuer.Url + "/.well-known/issuer.jwks" };
        if (NamesDirector)
        {
            document["director_endpoint"] = Url;
        }

        return Reply.Json(200, document.ToJsonString());
    }

    private Reply Direct(Request request)
    {
        if ((request.Method == "DELETE" && !Style.KnowsDelete) || (request.Method == "COPY" && !Style.KnowsCopy)
            || request.Method is not ("GET" or "HEAD" or "PUT" or "DELETE" or "COPY" or "PROPFIND" or "OPTIONS"))
        {
            return new Reply(404, "404 page not found", "text/plain");
        }

        if (IsOldClient(request.Headers["User-Agent"] ?? ""))
        {
            return Error(400, "Failed to validate incoming request: your client is too old or not known");
        }

        if (Style.RefusesExpiredTokens && IsExpired(request))
        {
            Reply refusal = Error(401, "bearer token has expired");
            refusal.Headers["WWW-Authenticate"] = "Bearer error=\"invalid_token\"";
            return refusal;
        }

        if (request.Path == "/" && request.Method is "GET" or "HEAD")
        {
            return WebPage(request);
        }

        if (namespaces.Find(request.Path) is not { } ns || (ns.Servers is null && !OriginsOf(ns).Any() && Origins.Count > 0))
        {
            return Style.Starting
                ? Error(429, "Director is starting up and does not know all servers yet")
                : Error(404, $"No sources found for the requested path: no origins found for the requested namespace '{request.Path}'");
        }

        bool reading = request.Method is "GET" or "HEAD" or "OPTIONS";
        if (Unsupported(request, ns, reading) is { } kind)
        {
            return Error(405, "Discovered sources for the namespace, but none support the request: "
                + $"no origins found that support the '{kind}' request type");
        }

        bool looks = reading && ns.Servers is null && Looks(ns) && request.Parameter("skipstat") is null;
        Origin[] origins = [.. OriginsOf(ns).Where(origin => !looks || (origin.IsUp && origin.HasObject(request.Path)))];
        if (looks && origins.Length == 0)
        {
            return Error(404, "No sources reported possession of the object");
        }

        List<string> servers = ServersFor(ns, request, reading, origins);
        return servers.Count == 0
            ? Error(404, "No caches can fulfill this request and no fallback origins")
            : Redirect(request, ns, servers);
    }

    private IEnumerable<Origin> OriginsOf(FederationNamespace ns) =>
        Origins.Where((origin, i) => (ns.Origins?.Contains(i) ?? true) && !origin.IsWithdrawn);

    /// <summary>A single origin of Pelican's own is not asked whether it has the object (pelican-servers.md 17.2).</summary>
    private bool Looks(FederationNamespace ns) =>
        Style.LooksForObjects && !(OriginsOf(ns).ToArray() is [{ Dialect.IsXrootd: false }]);

    /// <summary>What a request needs that the namespace does not offer; null when it offers it.</summary>
    private static string? Unsupported(Request request, FederationNamespace ns, bool reading) =>
        reading ? request.Parameter("directread") is not null && !ns.DirectReads ? "direct read" : null
        : request.Method == "PROPFIND" ? request.Headers["Depth"] == "1" && !ns.Listings && ns.Servers is null ? "ls" : null
        : ns.Writes ? null
        : request.Method.ToLowerInvariant();

    /// <summary>The web page of a director (pelican-servers.md 2).</summary>
    private static Reply WebPage(Request request)
    {
        Reply reply = new(302, request.Method == "GET" ? "<a href=\"/view/\">Found</a>.\n\n" : "", "text/html; charset=utf-8");
        reply.Headers["Location"] = "/view/";
        return reply;
    }

    private List<string> ServersFor(FederationNamespace ns, Request request, bool reading, Origin[] origins)
    {
        IEnumerable<string> writers = ns.Writers?.Select(Base) ?? origins.Select(origin => origin.DataUrl);
        IEnumerable<string> readers = ns.Servers?.Select(Base)
            ?? Caches.Where((_, i) => ns.Caches?.Contains(i) ?? true).Select(cache => cache.DataUrl);
        bool direct = reading && (request.Parameter("directread") is not null || !readers.Any());
        return direct && !ns.DirectReads ? [] : [.. (direct || !reading ? writers : readers).Take(MaximumServers)];
    }

    private Reply Redirect(Request request, FederationNamespace ns, List<string> servers)
    {
        Reply reply = new(request.Method == "OPTIONS" || request.Parameter("redirect") == "false" ? 200 : 307);
        string path = GoPath(request.Path.TrimEnd('/'));
        string? token = request.Headers["Authorization"]?.Replace("Bearer ", "", StringComparison.Ordinal);
        string query = string.Join('&', new[] { request.Query, token is null ? "" : "authz=" + token }.Where(part => part.Length > 0));
        reply.Headers["Location"] = servers[0] + path + (query.Length == 0 ? "" : "?" + query);
        if (request.Method == "OPTIONS")
        {
            reply.Headers["Allow"] = "HEAD,GET,PUT,PROPFIND,COPY,OPTIONS,POST";
        }

        if (Style.Link)
        {
            AddLinks(reply, servers, path, ns);
        }

        AddPelicanHeaders(reply, ns);
        return reply;
    }

    private void AddLinks(Reply reply, List<string> servers, string path, FederationNamespace ns)
    {
        int depth = path[ns.Prefix.TrimEnd('/').Length..].Split('/', StringSplitOptions.RemoveEmptyEntries).Length;
        string suffix = Style.Depth ? string.Create(CultureInfo.InvariantCulture, $"; depth={depth}") : "";
        IEnumerable<string> links = servers.Select((server, i) =>
            string.Create(CultureInfo.InvariantCulture, $"<{server}{path}>; rel=\"duplicate\"; pri={i + 1}{suffix}"));
        links = Style.LinkReversed ? links.Reverse() : links;
        foreach (string line in Style.LinkRepeated ? links : [string.Join(", ", links)])
        {
            reply.Headers.Add("Link", line);
        }
    }

    private void AddPelicanHeaders(Reply reply, FederationNamespace ns)
    {
        if (!Style.NamespaceHeader)
        {
            return;
        }

        string? collections = ns.Collections is { } uri ? Base(uri) : ns.Servers is null ? OriginsOf(ns).FirstOrDefault()?.DataUrl : null;
        string listing = !Style.CollectionsUrl || !ns.Listings || collections is null
            ? ""
            : ", collections-url=" + (Style.CollectionsUrlEmpty ? "" : collections);
        reply.Headers["X-Pelican-Namespace"] =
            $"namespace={ns.Prefix}, require-token={(ns.PublicReads ? "false" : "true")}{listing}";
        string[] issuers = [.. (ns.Issuers ?? [issuer.Url]).Select(url => "issuer=" + url)];
        foreach (string line in Style.IssuersRepeated ? issuers : [string.Join(", ", issuers)])
        {
            reply.Headers.Add("X-Pelican-Authorization", line);
        }

        if (Style.TokenGeneration)
        {
            string depth = ns.MaxScopeDepth == 0
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $", max-scope-depth={ns.MaxScopeDepth}");
            string basePath = ns.BasePath is null ? "" : ", base-path=" + ns.BasePath;
            reply.Headers["X-Pelican-Token-Generation"] = $"{string.Join(", ", issuers)}{depth}, strategy=OAuth2{basePath}";
        }
    }

    /// <summary>A current director ends each text with a number of its own (pelican-servers.md 2.1).</summary>
    private Reply Error(int status, string message) => Style.Errors switch
    {
        ErrorForm.Message => Reply.Json(
            status, new JsonObject { ["status"] = "error", ["msg"] = $"{message}: Request ID: {Guid.NewGuid()}" }.ToJsonString()),
        ErrorForm.Error => Reply.Json(status, new JsonObject { ["error"] = message }.ToJsonString()),
        _ => new Reply(status, message, "text/plain; charset=utf-8"),
    };

    private bool IsExpired(Request request) =>
        request.Headers["Authorization"]?.Replace("Bearer ", "", StringComparison.Ordinal) is { } token
        && issuer.Verify(token) is { } claims
        && DateTimeOffset.FromUnixTimeSeconds((long)claims["exp"]!) < clock.GetUtcNow();

    private static string Base(Uri uri) => uri.AbsoluteUri.TrimEnd('/');

    /// <summary>The gate of 2.2.2: only agents that look like Pelican's own are examined.</summary>
    private static bool IsOldClient(string agent)
    {
        Match match = OwnAgent().Match(agent);
        return agent.Length <= 50 && match.Success
            && (match.Groups[1].Value != "client" || int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) < 7);
    }

    /// <summary>A path as Go writes it: comma and semicolon among others stay as they are, also inside <c>Link</c> (2.4.4).</summary>
    private static string GoPath(string path) =>
        GoKept().Replace(string.Join('/', path.Split('/').Select(Uri.EscapeDataString)), match => Uri.UnescapeDataString(match.Value));

    [GeneratedRegex(@"^pelican-([A-Za-z]+)/([0-9]+)\.[0-9]+\.[0-9]+$")]
    private static partial Regex OwnAgent();

    [GeneratedRegex("%(24|26|2B|2C|3A|3B|3D|40)")]
    private static partial Regex GoKept();
}
