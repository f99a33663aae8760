namespace Pelican.Transfer;

/// <summary>
/// The client parameters, made once by the command from flags, environment and files (federation-protocol 8).
/// Each property names its parameter; the defaults are the documented ones.
/// </summary>
internal sealed record ClientSettings
{
    /// <summary><c>Federation.DiscoveryUrl</c>: federation of paths without a scheme; null when none is configured.</summary>
    public string? DiscoveryUrl { get; init; }

    /// <summary>Host that answers for <c>osdf://</c> and <c>stash://</c>; a constant of the federation, settable for tests.</summary>
    public string OsdfDiscoveryHost { get; init; } = "osg-htc.org";

    /// <summary><c>Client.DirectorRetries</c>: questions asked of a director before giving up; at least 1.</summary>
    public int DirectorRetries { get; init; } = 5;

    /// <summary><c>Client.StoppedTransferTimeout</c>: longest time without a byte.</summary>
    public TimeSpan StoppedTransferTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary><c>Client.SlowTransferRampupTime</c>: time after the start in which slowness is forgiven.</summary>
    public TimeSpan SlowTransferRampupTime { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary><c>Client.SlowTransferWindow</c>: how long the rate must stay below the minimum.</summary>
    public TimeSpan SlowTransferWindow { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><c>Client.MinimumDownloadSpeed</c>: bytes per second; 0 turns the rule off.</summary>
    public long MinimumDownloadSpeed { get; init; } = 102_400;

    /// <summary><c>Client.MaximumDownloadSpeed</c>: cap in bytes per second; 0 means none.</summary>
    public long MaximumDownloadSpeed { get; init; }

    /// <summary><c>Client.WorkerCount</c>: objects in flight at once.</summary>
    public int WorkerCount { get; init; } = 5;

    /// <summary><c>Client.DisableHttpProxy</c>: never use a proxy, whatever the environment says.</summary>
    public bool DisableHttpProxy { get; init; }

    /// <summary>Variable <c>no_proxy</c>: what is reached without the proxies of the environment; null for nothing.</summary>
    public string? NoProxy { get; init; }

    /// <summary><c>Client.DisableProxyFallback</c>: do not try without the proxy when the proxy fails.</summary>
    public bool DisableProxyFallback { get; init; }

    /// <summary><c>Client.EnableOverwrites</c>: upload over existing objects.</summary>
    public bool EnableOverwrites { get; init; }

    /// <summary><c>Client.PreferredCaches</c>: servers to use first; a last item <c>+</c> means "then the director's".</summary>
    public IReadOnlyList<string> PreferredCaches { get; init; } = [];

    /// <summary><c>Transport.DialerTimeout</c>: limit for a TCP connection.</summary>
    public TimeSpan DialerTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>Transport.DialerKeepAlive</c>: interval of TCP keep-alive probes.</summary>
    public TimeSpan DialerKeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><c>Transport.MaxIdleConns</c>: connections kept to one server.</summary>
    public int MaxIdleConnections { get; init; } = 30;

    /// <summary><c>Transport.IdleConnTimeout</c>: how long an unused connection is kept.</summary>
    public TimeSpan IdleConnectionTimeout { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary><c>Transport.TLSHandshakeTimeout</c>.</summary>
    public TimeSpan TlsHandshakeTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary><c>Transport.ResponseHeaderTimeout</c>: from the request to the head of the answer.</summary>
    public TimeSpan ResponseHeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>TLSSkipVerify</c>: accept any certificate. Tokens are then at the mercy of the network.</summary>
    public bool TlsSkipVerify { get; init; }

    /// <summary><c>Server.TLSCACertificateFile</c>: PEM file of authorities trusted beside the system's; null for none.</summary>
    public string? CaCertificateFile { get; init; }

    /// <summary><c>GeoLocation</c>: <c>lat,lon</c> told to the director; null for none.</summary>
    public string? GeoLocation { get; init; }

    /// <summary>First wait before something is tried again; doubled each time (not a documented parameter).</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a digest may take, which a server computes at the first question (xrootd.md 5.5).</summary>
    public TimeSpan DigestTimeout { get; init; } = TimeSpan.FromMinutes(10);
}
