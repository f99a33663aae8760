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

    /// <summary>The server's <c>ETag</c>; null when it sends none. XRootD's proves nothing (xrootd.md 2.1).</summary>
    public string? ETag { get; init; }

    /// <summary>Digests in lower-case hexadecimal by wire name (<c>crc32c</c>, <c>md5</c>, …); empty unless asked for.</summary>
    public IReadOnlyDictionary<string, string> Checksums { get; init; } = ReadOnlyDictionary<string, string>.Empty;
}
