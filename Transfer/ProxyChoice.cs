using System.Globalization;
using System.Net;

namespace Pelican.Transfer;

/// <summary>
/// The proxies of the environment, and what <c>no_proxy</c> takes from them, as curl and Go read it: names with all below them,
/// addresses, networks (<c>10.0.0.0/8</c>), each with a port or without, and <c>*</c> for everything.
/// </summary>
/// <param name="proxies">Says which proxy a URL would take.</param>
/// <param name="noProxy">Value of <c>no_proxy</c>; null for none.</param>
internal sealed class ProxyChoice(IWebProxy proxies, string? noProxy) : IWebProxy
{
    private static readonly char[] Separators = [',', ' ', '\t'];

    private readonly string[] _direct = (noProxy ?? "").Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <inheritdoc/>
    public ICredentials? Credentials
    {
        get => proxies.Credentials;
        set => proxies.Credentials = value;
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => proxies.GetProxy(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => proxies.GetProxy(host) is null || _direct.Any(entry => Covers(entry, host));

    private static bool Covers(string entry, Uri url)
    {
        if (entry == "*")
        {
            return true;
        }

        string host = url.IdnHost.Trim('[', ']').TrimEnd('.');
        _ = IPAddress.TryParse(host, out IPAddress? address);
        if (IPNetwork.TryParse(entry, out IPNetwork network))
        {
            return address is not null && network.Contains(address);
        }

        (string name, string? port) = SplitPort(entry);
        if (port is not null && port != url.Port.ToString(CultureInfo.InvariantCulture))
        {
            return false;
        }

        if (IPAddress.TryParse(name, out IPAddress? direct))
        {
            return direct.Equals(address);
        }

        name = name.TrimStart('*').TrimStart('.').TrimEnd('.');
        return address is null && name.Length > 0
            && (host.Equals(name, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + name, StringComparison.OrdinalIgnoreCase));
    }

    // "::1" has no port, "[::1]:8443" and "host:8443" have.
    private static (string Name, string? Port) SplitPort(string entry)
    {
        int colon = entry.LastIndexOf(':');
        bool hasPort = colon > 0 && (entry[colon - 1] == ']' || entry.IndexOf(':', StringComparison.Ordinal) == colon);
        return hasPort ? (entry[..colon].Trim('[', ']'), entry[(colon + 1)..]) : (entry.Trim('[', ']'), null);
    }
}
