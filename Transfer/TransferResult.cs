namespace Pelican.Transfer;

/// <summary>What is known of the bytes of a finished transfer.</summary>
internal enum Verification
{
    /// <summary>The digest of every byte equals what a server reported.</summary>
    Verified,

    /// <summary>No server has a digest; size and trailer agree.</summary>
    Unverified,
}

/// <summary>A transfer that succeeded. One that did not is a <see cref="PelicanException"/>.</summary>
internal sealed record TransferResult
{
    /// <summary>Object URL or local path the bytes came from.</summary>
    public required string Source { get; init; }

    /// <summary>Local path or object URL they went to; <c>-</c> for standard output.</summary>
    public required string Destination { get; init; }

    /// <summary>Size of the object in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Byte from which this run went on; 0 when it started afresh.</summary>
    public long ResumedFrom { get; init; }

    /// <summary>Whether it was there already, the same by size and digest: nothing was moved.</summary>
    public bool WasThere { get; init; }

    /// <summary>Host and port of the server that finished it, or told the digest of what was there.</summary>
    public required string Server { get; init; }

    /// <summary>Time from start to publication.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Whether a digest confirmed it.</summary>
    public required Verification Verification { get; init; }

    /// <summary>Algorithm of the digest; null when unverified.</summary>
    public ChecksumAlgorithm? Algorithm { get; init; }

    /// <summary>The digest in lower-case hexadecimal; null when unverified.</summary>
    public string? Checksum { get; init; }

    /// <summary>Why no digest was to be had; null when verified.</summary>
    public string? UnverifiedReason { get; init; }

    /// <summary>How long ago the cache that sent it had it from the origin, as it said; null when it said nothing.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>Whether the origin is known to have another version by now than the cache that sent this one.</summary>
    public bool DiffersFromOrigin { get; init; }

    /// <summary>Every attempt, oldest first, the successful one included.</summary>
    public IReadOnlyList<Attempt> Attempts { get; init; } = [];
}
