namespace Pelican.Transfer;

/// <summary>What a server's digests say of the bytes that we have.</summary>
/// <param name="Verification">Null when they say that the bytes are wrong.</param>
/// <param name="Algorithm">The digest that decided.</param>
/// <param name="Checksum">Our value of it, lower-case hexadecimal; null when unverified.</param>
/// <param name="Why">Why there is no verdict, or what differs.</param>
internal sealed record DigestVerdict(Verification? Verification, ChecksumAlgorithm? Algorithm, string? Checksum, string? Why);

/// <summary>
/// Compares digests with bytes, allowing for servers that name one algorithm and send another, or have a wrong idea of one
/// (xrootd.md 5, 12.2).
/// </summary>
internal static class DigestJudge
{
    /// <summary>Order in which digests are asked for: what costs a server least first.</summary>
    public static IReadOnlyList<ChecksumAlgorithm> Preferred { get; } =
        [ChecksumAlgorithm.Crc32c, ChecksumAlgorithm.Adler32, ChecksumAlgorithm.Md5, ChecksumAlgorithm.Sha1, ChecksumAlgorithm.Crc32];

    /// <summary>What to ask for.</summary>
    /// <param name="only">Algorithm that the user insists on; null for any.</param>
    public static IReadOnlyList<ChecksumAlgorithm> Wanted(ChecksumAlgorithm? only) => only is { } one ? [one] : Preferred;

    /// <summary>Asks a server and compares, once more with another algorithm when the first does not agree.</summary>
    /// <param name="server">The server that has, or sent, the object.</param>
    /// <param name="size">Bytes that we have.</param>
    /// <param name="compute">Our digest of them; null when that algorithm can no longer be computed.</param>
    /// <param name="only">Algorithm that the user insists on; null for any.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <returns>The server's idea of the size, null when it has none, and the verdict.</returns>
    public static async Task<(long? Size, DigestVerdict Verdict)> AskAsync(
        ObjectServer server, long size, Func<ChecksumAlgorithm, byte[]?> compute, ChecksumAlgorithm? only, CancellationToken cancellationToken)
    {
        DigestAnswer answer = await server.DigestAsync(Wanted(only), size, cancellationToken);
        DigestVerdict verdict = Judge(answer, compute, only);
        if (verdict.Verification is not null || only is not null || (answer.Size is { } told && told != size))
        {
            return (answer.Size, verdict);
        }

        // An object overwritten in the second in which its digest was asked keeps the old digest; another algorithm,
        // not asked before, is right (xrootd.md 5.6).
        ChecksumAlgorithm[] others = [.. Preferred.Where(a => a != verdict.Algorithm && a != ChecksumAlgorithm.Crc32)];
        DigestAnswer second = await server.DigestAsync(others, size, cancellationToken);
        DigestVerdict other = Judge(second, compute, null);
        return (second.Size ?? answer.Size, other.Verification == Verification.Verified ? other : verdict);
    }

    internal static DigestVerdict Judge(DigestAnswer answer, Func<ChecksumAlgorithm, byte[]?> compute, ChecksumAlgorithm? only)
    {
        DigestVerdict? wrong = null;
        foreach (ServerDigest digest in answer.Digests.OrderBy(d => d.Algorithm))
        {
            foreach (ChecksumAlgorithm reading in Readings(digest))
            {
                if (compute(reading) is not { } ours)
                {
                    continue;
                }

                bool wanted = only is null || only == reading;
                if (ours.AsSpan().SequenceEqual(digest.Value))
                {
                    if (wanted)
                    {
                        return new DigestVerdict(Verification.Verified, reading, Convert.ToHexStringLower(ours), null);
                    }

                    // It is another digest than its name says, and right.
                    break;
                }

                // What 5.8 calls crc32 is POSIX cksum: it proves nothing. Nor does a value that is too long or too short for its name.
                if (wanted && reading == digest.Algorithm && reading != ChecksumAlgorithm.Crc32)
                {
                    wrong ??= new DigestVerdict(null, reading, null,
                        $"{Checksum.WireName(reading)} is {Convert.ToHexStringLower(ours)} here, {Convert.ToHexStringLower(digest.Value)} at the server");
                }
            }
        }

        return wrong ?? new DigestVerdict(Verification.Unverified, null, null,
            answer.Why ?? (only is { } one ? $"the server has no {Checksum.WireName(one)} of it" : "the server's digest cannot be compared"));
    }

    // Four bytes under any name may be the crc32c: caches of 5.5 send it whatever was asked (xrootd.md 12.2).
    private static IEnumerable<ChecksumAlgorithm> Readings(ServerDigest digest)
    {
        if (digest.Value.Length == 4)
        {
            yield return ChecksumAlgorithm.Crc32c;
        }

        if (digest.Algorithm != ChecksumAlgorithm.Crc32c && digest.Value.Length == Checksum.Length(digest.Algorithm))
        {
            yield return digest.Algorithm;
        }
    }
}
