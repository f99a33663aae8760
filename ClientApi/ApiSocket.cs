using System.Text;

namespace Pelican.ClientApi;

/// <summary>Where the Client API server listens: a Unix socket.</summary>
public sealed record ApiSocket
{
    /// <summary>Environment variable that names the socket.</summary>
    public const string Variable = "PELICAN_CLIENT_API_SOCKET";

    /// <summary>Bytes that fit into <c>sockaddr_un</c> before its final zero.</summary>
    private const int MostPathBytes = 107;

    private const string HostNameFile = "/proc/sys/kernel/hostname";

    private ApiSocket(IReadOnlyList<string> paths) => Paths = paths;

    /// <summary>Absolute paths to try, in this order; the last one is named in messages.</summary>
    public IReadOnlyList<string> Paths { get; }

    internal string Shown => Paths[^1];

    /// <summary>A socket of one's own choice.</summary>
    /// <param name="path">At most 107 bytes.</param>
    /// <exception cref="ApiException"><see cref="ApiFault.Refused"/>: no socket can have such a path.</exception>
    public static ApiSocket At(string path)
    {
        int bytes = Encoding.UTF8.GetByteCount(path);
        return bytes is > 0 and <= MostPathBytes
            ? new ApiSocket([path])
            : throw ApiException.Invalid(
                FormattableString.Invariant($"the path of a socket has at most {MostPathBytes} bytes, and '{path}' has {bytes}"),
                $"Choose a shorter one with --socket or {Variable}.");
    }

    /// <summary>
    /// The usual one: what <see cref="Variable"/> names; else <c>~/.pelican/client-api.&lt;host&gt;.sock</c>, which a server has that
    /// found another host's in the same home; else <c>~/.pelican/client-api.sock</c>.
    /// </summary>
    /// <exception cref="ApiException"><see cref="ApiFault.Refused"/>: no socket can have such a path.</exception>
    public static ApiSocket Usual() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
            ? At(Path.GetFullPath(named))
            : Below(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), HostName());

    /// <summary>The usual one of a home directory.</summary>
    /// <param name="home">Absolute path.</param>
    /// <param name="host">Name of this host.</param>
    /// <exception cref="ApiException"><see cref="ApiFault.Refused"/>: no socket can have such a path.</exception>
    public static ApiSocket Below(string home, string host)
    {
        string folder = Path.Combine(home, ".pelican");
        string plain = At(Path.Combine(folder, "client-api.sock")).Shown;
        string own = Path.Combine(folder, $"client-api.{host}.sock");
        return new ApiSocket(Encoding.UTF8.GetByteCount(own) <= MostPathBytes ? [own, plain] : [plain]);
    }

    /// <summary>Name of this host, as it is in the name of its socket.</summary>
    public static string HostName() =>
        FileName(File.Exists(HostNameFile) ? File.ReadAllText(HostNameFile).Trim() : Environment.MachineName);

    /// <summary>A host's name as a part of a file name.</summary>
    public static string FileName(string host) => string.Concat(host.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '_'));
}
