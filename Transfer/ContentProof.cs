namespace Pelican.Transfer;

/// <summary>
/// Proves that an object and a local file are the same, by size and digest, without moving either. Adler-32 and CRC-32 alone prove
/// nothing here: neighbouring bytes that change by +1 −2 +1 keep the first.
/// </summary>
internal static class ContentProof
{
    /// <summary>
    /// XRootD keeps a digest for as long as the object's time has the same second (xrootd.md 5.6): what it tells may be that of an object
    /// which was replaced a moment later. Larger objects are not replaced within a second.
    /// </summary>
    private const long ReplacedWithinASecond = 1024 * 1024 * 1024;

    /// <summary>Order for small objects: nothing leaves these digests behind but this very question, and one of the first two is enough.</summary>
    private static readonly ChecksumAlgorithm[] Strong =
        [ChecksumAlgorithm.Md5, ChecksumAlgorithm.Sha1, ChecksumAlgorithm.Crc32c, ChecksumAlgorithm.Adler32];

    /// <summary>Compares.</summary>
    /// <param name="server">The object.</param>
    /// <param name="told">Its size, as the server has told it; null when it has not.</param>
    /// <param name="path">Absolute local path of the file.</param>
    /// <param name="only">Algorithm that the user insists on; null for any.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Verified when they are the same; else why they are not, or why that cannot be known.</returns>
    /// <exception cref="PelicanException">As <see cref="ObjectServer.DigestAsync"/>, and rows <c>Local…</c>.</exception>
    public static async Task<DigestVerdict> CompareAsync(
        ObjectServer server, long? told, string path, ChecksumAlgorithm? only, CancellationToken cancellationToken)
    {
        long size = LocalEntry.At(path).Size;
        if (told is { } bytes && bytes != size)
        {
            return Differs($"the file has {size}");
        }

        IReadOnlyList<ChecksumAlgorithm> order = size <= DigestTurns.Small ? Strong : DigestJudge.Preferred;

        try
        {
            DigestAnswer answer = await server.DigestAsync(only is { } one ? [one] : order, size, cancellationToken);
            if (answer.Digests.Count == 0 && only is null && order != DigestJudge.Preferred)
            {
                // 5.5 answers some of the questions for a digest that must be computed with 500; the one that it keeps it has.
                answer = await server.DigestAsync(DigestJudge.Preferred, size, cancellationToken);
            }

            if (answer.Size is { } now && now != size)
            {
                return Differs($"by now {now}");
            }

            return await WeighAsync(DigestJudge.Judge(answer, Compute, only));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "read");
        }

        byte[]? Compute(ChecksumAlgorithm algorithm) => Checksum.OfFile(path, algorithm, cancellationToken);

        async Task<DigestVerdict> WeighAsync(DigestVerdict verdict)
        {
            bool enough = verdict.Algorithm is ChecksumAlgorithm.Md5 or ChecksumAlgorithm.Sha1
                || (verdict.Algorithm == ChecksumAlgorithm.Crc32c && size >= ReplacedWithinASecond);
            if (verdict.Verification != Verification.Verified || enough)
            {
                return verdict;
            }

            // Another algorithm's digest was hardly asked for in the same second too.
            ChecksumAlgorithm[] others = [.. order.Where(a => a != verdict.Algorithm && a != ChecksumAlgorithm.Crc32)];
            DigestVerdict other = DigestJudge.Judge(await server.DigestAsync(others, size, cancellationToken), Compute, null);
            return other.Verification is null || !IsWeak(other) ? other
                : !IsWeak(verdict) ? verdict
                : new DigestVerdict(Verification.Unverified, null, null, "the server has no digest of it that tells small changes");
        }
    }

    /// <summary>Whether an object is the beginning of a file, or all of it: what an upload that was killed has left.</summary>
    /// <param name="server">The object.</param>
    /// <param name="told">Its size, as the server has told it; null when it has not.</param>
    /// <param name="path">Absolute local path of the file.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False also when that cannot be known.</returns>
    public static async Task<bool> IsBeginningAsync(ObjectServer server, long? told, string path, CancellationToken cancellationToken)
    {
        if (told is not { } size || size > LocalEntry.At(path).Size)
        {
            return false;
        }

        if (size == 0)
        {
            return true;
        }

        try
        {
            DigestAnswer answer = await server.DigestAsync(size <= DigestTurns.Small ? Strong : DigestJudge.Preferred, size, cancellationToken);
            DigestVerdict verdict = DigestJudge.Judge(answer, Compute, null);
            if (verdict.Verification is null && (answer.Size ?? size) == size)
            {
                // It may have been asked while the object still grew, and is kept if that was in the same second (xrootd.md 5.6).
                answer = await server.DigestAsync([.. Strong.Where(a => a != verdict.Algorithm)], size, cancellationToken);
                verdict = DigestJudge.Judge(answer, Compute, null);
            }

            return (answer.Size is null || answer.Size == size) && verdict.Verification == Verification.Verified
                && !IsWeak(verdict);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "read");
        }

        byte[]? Compute(ChecksumAlgorithm algorithm) => Checksum.OfFile(path, size, algorithm, cancellationToken);
    }

    // A digest that a few bytes changed together leave as it is says nothing of two files that differ a little.
    private static bool IsWeak(DigestVerdict verdict) =>
        verdict.Algorithm is not (ChecksumAlgorithm.Md5 or ChecksumAlgorithm.Sha1 or ChecksumAlgorithm.Crc32c);

    private static DigestVerdict Differs(string why) => new(null, null, null, why);
}
