namespace Pelican.Federation;

/// <summary>What a federation consists of; every default makes the smallest useful one.</summary>
public sealed record FederationOptions
{
    /// <summary>The namespaces <c>/public</c>, <c>/demo</c> (open for writing) and <c>/protected</c>.</summary>
    public static IReadOnlyList<FederationNamespace> UsualNamespaces { get; } =
    [
        new("/public"),
        new("/demo") { PublicWrites = true },
        new("/protected") { PublicReads = false },
    ];

    /// <summary>Directory for objects and files; null for a temporary one that goes away with the federation.</summary>
    public string? Root { get; init; }

    public IReadOnlyList<FederationNamespace> Namespaces { get; init; } = UsualNamespaces;

    /// <summary>Origins, one for each dialect named.</summary>
    public IReadOnlyList<Dialect> Origins { get; init; } = [Dialect.Xrootd62];

    /// <summary>Caches, one for each dialect named; all read from all origins.</summary>
    public IReadOnlyList<Dialect> Caches { get; init; } = [Dialect.Xrootd62];

    /// <summary>
    /// Pelican's first origin and first cache are in one process with the director: on its port, below prefixes, with a
    /// <c>Server</c> header (pelican-servers.md 1). Otherwise each server is a process of its own.
    /// </summary>
    public bool OneProcess { get; init; }

    /// <summary>Origins and caches speak TLS; discovery, director and issuer always do.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>PEM files whose authorities are added to the CA file, for servers outside of the federation.</summary>
    public IReadOnlyList<string> OtherCaFiles { get; init; } = [];

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>A federation on 127.0.0.1: issuer, director with discovery, origins and caches, each on a port of its own.</summary>
public sealed class TestFederation : IAsyncDisposable
{
    private readonly bool _ownsRoot;
    private readonly List<FederationServer> _servers = [];
    private readonly HttpClient _copyClient;

    private TestFederation(FederationOptions options)
    {
        _ownsRoot = options.Root is null;
        Root = options.Root ?? Directory.CreateTempSubdirectory("federation").FullName;
        Certificates = new TestCertificates();
        CaFile = Path.Combine(Root, "ca.pem");
        Directory.CreateDirectory(Root);
        File.WriteAllText(CaFile, string.Join('\n', [Certificates.AuthorityPem, .. options.OtherCaFiles.Select(File.ReadAllText)]));
        _copyClient = Certificates.CreateHttpClient();

        Namespaces = new NamespaceTable(options.Namespaces);
        Issuer = Own(new TokenIssuer(Certificates.Server, options.Clock));
        Director = Own(new Director(Certificates.Server, Namespaces, Issuer, options.Clock));
        Origins = [.. options.Origins.Select((dialect, i) => Own(new Origin(ServerOptions(options, dialect, $"origin{i}"))))];
        Caches = [.. options.Caches.Select((dialect, i) => Own(new Cache(ServerOptions(options, dialect, $"cache{i}"), Origins)))];
        (Director.Origins, Director.Caches) = (Origins, Caches);
        foreach (Cache cache in Caches)
        {
            cache.Serve(DiscoveryHost);
            cache.Director = Director.ToOrigins;
        }

        foreach (ObjectServer server in options.OneProcess ? [.. Origins.Take(1), .. Caches.Take(1)] : Array.Empty<ObjectServer>())
        {
            server.Share(Director);
        }

        foreach (string folder in Origins.SelectMany(origin => options.Namespaces.Select(ns => origin.FileOf(ns.Prefix))))
        {
            Directory.CreateDirectory(folder);
        }
    }

    /// <summary>Directory of the federation: <c>ca.pem</c>, <c>origin0</c>, <c>cache0</c>, …</summary>
    public string Root { get; }

    /// <summary>PEM file of the authorities that a client must trust.</summary>
    public string CaFile { get; }

    public TestCertificates Certificates { get; }

    /// <summary>Base URL of discovery.</summary>
    public string DiscoveryUrl => Director.Url;

    /// <summary><c>localhost:port</c> of discovery, as in <c>pelican://localhost:port/public/x</c>.</summary>
    public string DiscoveryHost => Director.Host;

    /// <summary>The namespaces; may change while it runs.</summary>
    public NamespaceTable Namespaces { get; }

    public TokenIssuer Issuer { get; }

    public Director Director { get; }

    public IReadOnlyList<Origin> Origins { get; }

    public IReadOnlyList<Cache> Caches { get; }

    /// <summary>The first origin.</summary>
    public Origin Origin => Origins[0];

    /// <summary>The first cache.</summary>
    public Cache Cache => Caches[0];

    /// <summary>Starts everything.</summary>
    public static Task<TestFederation> StartAsync(FederationOptions? options = null) =>
        Task.FromResult(new TestFederation(options ?? new FederationOptions()));

    /// <summary>A <c>pelican://</c> URL of a path, which must be encoded as far as it needs to be.</summary>
    public string UrlOf(string path) => $"pelican://{DiscoveryHost}{path}";

    /// <summary>Adds a server that is nothing but a script, under the federation's certificate.</summary>
    public ScriptedServer AddServer(Func<Request, CancellationToken, Task<Reply>> script) =>
        Own(new ScriptedServer(Certificates.Server, script));

    public async ValueTask DisposeAsync()
    {
        foreach (FederationServer server in _servers)
        {
            await server.DisposeAsync();
        }

        _copyClient.Dispose();
        Certificates.Dispose();
        if (_ownsRoot)
        {
            Directory.Delete(Root, true);
        }
    }

    private T Own<T>(T server) where T : FederationServer
    {
        _servers.Add(server);
        return server;
    }

    private ObjectServerOptions ServerOptions(FederationOptions options, Dialect dialect, string name) => new()
    {
        Certificate = options.Tls ? Certificates.Server : null,
        Dialect = dialect,
        Folder = Path.Combine(Root, name),
        Namespaces = Namespaces,
        Issuer = Issuer,
        Clock = options.Clock,
        Client = _copyClient,
    };
}
