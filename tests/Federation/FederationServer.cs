using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;

namespace Pelican.Federation;

/// <summary>A server of the federation: what it was asked, what it does wrong, and whether it is there.</summary>
public abstract class FederationServer : IAsyncDisposable
{
    private readonly RawServer _server;
    private readonly string _scheme;

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

    /// <summary>Answers as the server does when nothing is wrong.</summary>
    protected abstract Task<Reply> HandleAsync(Request request, CancellationToken cancellationToken);

    private Task<Reply> ServeAsync(Request request, CancellationToken cancellationToken)
    {
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
