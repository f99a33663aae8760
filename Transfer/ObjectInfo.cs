using System.Collections.ObjectModel;

namespace Pelican.Transfer;

/// <summary>What a server says of an object or a collection.</summary>
/// <param name="Path">Path in the federation, decoded, beginning with a slash.</param>
/// <param name="Size">Bytes; 0 for a collection; null when the server does not say.</param>
/// <param name="Modified">Last modification, whole seconds; null when the server does not say.</param>
/// <param name="IsCollection">Whether it holds other objects.</param>
internal sealed record ObjectInfo(string Path, long? Size, DateTimeOffset? Modified, bool IsCollection)
{
    /// <summary>Last component of <see cref="Path"/>.</summary>
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>Whether the server said what it is; otherwise it may be a collection all the same.</summary>
    public bool IsKindTold { get; init; } = true;

    /// <summary>That nobody may take it for an object, nor for a collection.</summary>
    public PelicanException KindUnknown(string server) => new(Errors.Protocol,
        $"{server} does not say whether '{Faults.Clean(Path)}' is an object or a collection", "Try again; if it goes on, ask whoever runs the server whether you may see its resourcetype.");

    /// <summary>The server's <c>ETag</c>; null when it sends none. XRootD's proves nothing (xrootd.md 2.1).</summary>
    public string? ETag { get; init; }

    /// <summary>Digests in lower-case hexadecimal by wire name (<c>crc32c</c>, <c>md5</c>, …); empty unless asked for.</summary>
    public IReadOnlyDictionary<string, string> Checksums { get; init; } = ReadOnlyDictionary<string, string>.Empty;
}
