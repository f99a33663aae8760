namespace Pelican.Tests.Support;

/// <summary>One server of <see cref="XrootdServers"/>; the names are those of <c>tests/xrootd/xrootd.sh</c>.</summary>
public enum XrootdServer
{
    /// <summary>Token issuer: discovery document and keys over HTTPS.</summary>
    Issuer,

    /// <summary>Plain HTTP origin without authorization: everything by all.</summary>
    Http,

    /// <summary>TLS origin: <c>/public</c> read by all, <c>/open</c> all by all, <c>/protected</c> by token.</summary>
    Https,

    /// <summary>A second one like it: the other end of third-party copies.</summary>
    Https2,

    /// <summary>TLS caching proxy in front of <see cref="Https"/>, same rules.</summary>
    Cache,

    /// <summary>A second one like it.</summary>
    Cache2,
}
