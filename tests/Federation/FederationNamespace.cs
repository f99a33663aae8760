namespace Pelican.Federation;

/// <summary>A namespace of the federation: who may do what below a prefix, and who serves it.</summary>
/// <param name="Prefix">Path without trailing slash.</param>
public sealed record FederationNamespace(string Prefix)
{
    /// <summary>Reading takes no token.</summary>
    public bool PublicReads { get; init; } = true;

    /// <summary>Writing takes no token at the servers.</summary>
    public bool PublicWrites { get; init; }

    /// <summary>Origins accept writes; otherwise the director says 405.</summary>
    public bool Writes { get; init; } = true;

    /// <summary>Origins may be read directly, by <c>?directread</c> or where no cache serves the namespace.</summary>
    public bool DirectReads { get; init; } = true;

    /// <summary>The director offers a collections URL.</summary>
    public bool Listings { get; init; } = true;

    /// <summary>What scopes are relative to; null for the prefix, and then not told.</summary>
    public string? BasePath { get; init; }

    /// <summary>Issuers told; null for the federation's own alone.</summary>
    public IReadOnlyList<string>? Issuers { get; init; }

    /// <summary><c>max-scope-depth</c>.</summary>
    public int MaxScopeDepth { get; init; } = 3;

    /// <summary>Indices of the origins that serve it; null for all.</summary>
    public IReadOnlyList<int>? Origins { get; init; }

    /// <summary>Indices of the caches that serve it; null for all.</summary>
    public IReadOnlyList<int>? Caches { get; init; }

    /// <summary>Base URLs to name for reading, best first, instead of the federation's own; they may be anyone's.</summary>
    public IReadOnlyList<Uri>? Servers { get; init; }

    /// <summary>Base URLs to name for writing and <c>directread</c> instead of the federation's own.</summary>
    public IReadOnlyList<Uri>? Writers { get; init; }

    /// <summary>Collections URL instead of the first origin's.</summary>
    public Uri? Collections { get; init; }

    /// <summary>Whether a decoded path is the prefix or lies below it.</summary>
    public bool Covers(string path) => IsBelow(path, Prefix);

    /// <summary>Whether a path is another or lies below it, by whole components.</summary>
    internal static bool IsBelow(string path, string prefix) =>
        prefix.TrimEnd('/') is var trimmed && path.StartsWith(trimmed, StringComparison.Ordinal)
        && (path.Length == trimmed.Length || path[trimmed.Length] == '/');
}
