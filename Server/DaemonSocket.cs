using System.Text;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Where the Client API server listens.</summary>
/// <param name="Paths">Absolute paths to try, in this order; the last one is named in messages.</param>
internal sealed record DaemonSocket(IReadOnlyList<string> Paths)
{
    /// <summary>Environment variable that names the socket.</summary>
    public const string Variable = "PELICAN_CLIENT_API_SOCKET";

    /// <summary>Bytes that fit into <c>sockaddr_un</c> before its final zero.</summary>
    private const int MostPathBytes = 107;

    /// <summary>The path for messages.</summary>
    public string Shown => Paths[^1];

    /// <summary>One path, named by the user.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: no socket can have such a path.</exception>
    public static DaemonSocket At(string path) =>
        Encoding.UTF8.GetByteCount(path) is > 0 and <= MostPathBytes
            ? new DaemonSocket([path])
            : throw new PelicanException(Errors.Parameter,
                $"the path of a socket has at most {MostPathBytes} bytes, and '{path}' has {Encoding.UTF8.GetByteCount(path)}",
                $"Choose a shorter one with --socket or {Variable}.");

    /// <summary>
    /// The usual places: several login nodes can share a home, so that a daemon of this host may have had to take a name of
    /// its own.
    /// </summary>
    /// <param name="home">The user's home directory.</param>
    /// <param name="host">Name of this host.</param>
    public static DaemonSocket Usual(string home, string host) => new(
    [
        .. new[] { $"client-api.{host}.sock", "client-api.sock" }
            .Select(name => Path.Combine(home, ".pelican", name))
            .Where(path => Encoding.UTF8.GetByteCount(path) <= MostPathBytes)
            .DefaultIfEmpty(At(Path.Combine(home, ".pelican", "client-api.sock")).Shown),
    ]);
}
