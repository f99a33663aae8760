namespace Pelican.Transfer;

/// <summary>Proves that an object and a local file are the same, by size and digest, without moving either.</summary>
internal static class ContentProof
{
    /// <summary>
    /// A server keeps a digest for as long as the object's time has the same second (xrootd.md 5.6). Larger objects are not
    /// replaced within a second.
    /// </summary>
    private const long ReplacedWithinASecond = 1024 * 1024 * 1024;

    /// <summary>Order in which a second digest is asked for: the best proof first, and hardly ever asked for by others.</summary>
    private static readonly ChecksumAlgorithm[] Others = [ChecksumAlgorithm.Md5, ChecksumAlgorithm.Sha1, ChecksumAlgorithm.Adler32, ChecksumAlgorithm.Crc32c];

    /// <summary>Compares.</summary>
    /// <param name="server">The object.</param>
    /// <param name="size">Its size, as the server has told it.</param>
    /// <param name="path">Absolute local path of the file.</param>
    /// <param name="only">Algorithm that the user insists on; null for any.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Verified when they are the same; else why they are not, or why that cannot be known.</returns>
    /// <exception cref="PelicanException">As <see cref="ObjectServer.DigestAsync"/>, and rows <c>Local…</c>.</exception>
    public static async Task<DigestVerdict> CompareAsync(
        ObjectServer server, long size, string path, ChecksumAlgorithm? only, CancellationToken cancellationToken)
    {
        long length = LocalEntry.At(path).Size;
        if (length != size)
        {
            return Differs($"the file has {length}");
        }

        try
        {
            DigestAnswer answer = await server.DigestAsync(only is { } one ? [one] : DigestJudge.Preferred, size, cancellationToken);
            if (answer.Size is { } now && now != size)
            {
                return Differs($"by now {now}");
            }

            DigestVerdict verdict = DigestJudge.Judge(answer, Compute, only);
            return verdict.Verification == Verification.Verified && size < ReplacedWithinASecond
                ? await AgreeAsync(verdict) ?? verdict
                : verdict;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "read");
        }

        byte[]? Compute(ChecksumAlgorithm algorithm) => Checksum.OfFile(path, algorithm, cancellationToken);

        // What the server kept may be the digest of an object that was replaced a moment later. Another algorithm's is not, if
        // nobody asked for it in the same second; nor should this question spoil the one that an upload asks then.
        async Task<DigestVerdict?> AgreeAsync(DigestVerdict verdict)
        {
            ChecksumAlgorithm[] others = [.. Others.Where(algorithm => algorithm != verdict.Algorithm)];
            DigestVerdict other = DigestJudge.Judge(await server.DigestAsync(others, size, cancellationToken), Compute, null);
            return other.Verification is null ? other : null;
        }
    }

    private static DigestVerdict Differs(string why) => new(null, null, null, why);
}
