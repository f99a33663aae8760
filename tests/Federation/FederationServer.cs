using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;

namespace Pelican.Federation;

/// <summary>A server of the federation: what it was asked, what it does wrong, and whether it is there.</summary>
public abstract class FederationServer : IAsyncDisposable
{
    private readonly RawServer _server;
    private readonly string _scheme;
    private readonly List<FederationServer> _guests = [];

    /// <param name="certificate">Certificate for TLS; null for plain HTTP.</param>
    /// <param name="dialect">For the parts of HTTP that XRootD handles in its own way.</param>
    protected FederationServer(X509Certificate2? certificate, Dialect dialect)
    {
        _scheme = certificate is null ? "http" : "https";
        Dialect = dialect;
        _server = new RawServer(certificate, ServeAsync)
        {
            HeaderNames = dialect.HeadersByCase ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase,
            ContinueHeader = dialect.IsXrootd ? "Connection: Close\r\nServer: " + dialect.ServerHeader : null,
        };
        _server.Up();
    }

    /// <summary>What kind of server it imitates.</summary>
    public Dialect Dialect { get; }

    /// <summary>Its misbehaviours.</summary>
    public FaultList Faults { get; } = new();

    /// <summary>What it was asked.</summary>
    public RequestLog Requests { get; } = new();

    /// <summary>Base URL, by the name <c>localhost</c>, without trailing slash.</summary>
    public string Url => $"{_scheme}://{Host}";

    /// <summary>What the federation's paths follow in the URLs that a director gives out: with a prefix where it shares a process.</summary>
    public string DataUrl => SharedWith is null ? Url : SharedWith.Url + Prefix;

    /// <summary>The server in whose process this one is; it answers on that one's port too, below <see cref="Prefix"/>.</summary>
    public FederationServer? SharedWith { get; private set; }

    /// <summary>What it takes off the path of a request, if it is there.</summary>
    public string Prefix { get; protected set; } = "";

    /// <summary>The same server by its address: another host to a client that compares names.</summary>
    public string UrlByAddress => $"{_scheme}://127.0.0.1:{_server.Port}";

    /// <summary><c>localhost:port</c>.</summary>
    public string Host => $"localhost:{_server.Port}";

    /// <summary>Connections accepted so far.</summary>
    public int Connections => _server.Accepted;

    /// <summary>Whether it listens.</summary>
    public bool IsUp => _server.IsUp;

    /// <summary>Exceptions of scripts or of this server itself; empty in a sound test.</summary>
    public ConcurrentQueue<Exception> Failures => _server.Failures;

    /// <summary>The first request, past or to come, that matches.</summary>
    public Task<Request> WaitForRequestAsync(Func<Request, bool> match, CancellationToken cancellationToken) =>
        Requests.WaitForAsync(match, cancellationToken);

    /// <summary>Resets all connections and refuses new ones.</summary>
    public Task DownAsync() => _server.DownAsync();

    /// <summary>Listens again, on the same port.</summary>
    public void Up() => _server.Up();

    /// <summary>Completes once every connection waits for a request: what was asked has been answered whole.</summary>
    public Task WaitForIdleAsync(CancellationToken cancellationToken) => _server.WaitForIdleAsync(cancellationToken);

    /// <summary>Resets the connections that wait for a next request.</summary>
    public void CloseIdleConnections() => _server.CloseIdle();

    /// <summary>Resets the connections that have not sent a request, as XRootD does after 4 s (xrootd.md 13.2).</summary>
    public void CloseUnusedConnections() => _server.CloseUnused();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    /// <summary>Puts it into the process of another server (pelican-servers.md 1).</summary>
    internal void Share(FederationServer other)
    {
        SharedWith = other;
        other._guests.Add(this);
    }

    /// <summary>Answers as the server does when nothing is wrong.</summary>
    protected abstract Task<Reply> HandleAsync(Request request, CancellationToken cancellationToken);

    private Task<Reply> ServeAsync(Request request, CancellationToken cancellationToken)
    {
        FederationServer asked = _guests.Find(guest => guest.PrefixIn(request).Length > 0) ?? this;
        return asked.IsUp
            ? asked.RunAsync(request, cancellationToken)
            : Task.FromResult(new Reply(0) { Unanswered = true, Ending = Ending.Reset });
    }

    // As it was sent: a colon may be an escape.
    private string PrefixIn(Request request) => Prefix.Length == 0 ? ""
        : ((string[])[Prefix, Prefix.Replace(":", "%3A", StringComparison.Ordinal)])
            .FirstOrDefault(prefix => request.RawPath.StartsWith(prefix + "/", StringComparison.Ordinal)) ?? "";

    private Task<Reply> RunAsync(Request request, CancellationToken cancellationToken)
    {
        request.Prefix = PrefixIn(request);
        Requests.Add(request);
        return Faults.RunAsync(request, () => HandleAsync(request, cancellationToken), cancellationToken);
    }
}

/// <summary>A server that is nothing but its script.</summary>
public sealed class ScriptedServer(
    X509Certificate2? certificate, Func<Request, CancellationToken, Task<Reply>> script) : FederationServer(certificate, Dialect.Pelican)
{
    protected override Task<Reply> HandleAsync(Request request, CancellationToken cancellationToken) => script(request, cancellationToken);
}
