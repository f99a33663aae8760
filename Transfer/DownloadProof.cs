namespace Pelican.Transfer;

/// <summary>What the bytes of a download were found to be.</summary>
/// <param name="Verdict">Verified or unverified; null when they are wrong, or not known to be all.</param>
/// <param name="Teller">The server whose digest decided; null when none did.</param>
/// <param name="Row">The error when they are wrong.</param>
/// <param name="Message">Its message.</param>
/// <param name="IsShort">Whether nothing is wrong with them but that they are too few.</param>
internal sealed record DownloadFinding(DigestVerdict? Verdict, ObjectServer? Teller, ErrorRow? Row = null, string? Message = null, bool IsShort = false);

/// <summary>Judges the bytes of a download: by digest, else by size, by how their end was told, and by the origin's time.</summary>
internal sealed class DownloadProof(DownloadTarget target, Crc32cChecksum digest, DownloadSource source, TransferOptions options)
{
    /// <summary>Servers that may know the digest, best first, the origin last.</summary>
    public IReadOnlyList<ObjectServer> Witnesses { get; set; } = [];

    /// <summary>Judges what is in place.</summary>
    /// <param name="server">Who sent it, or the end of it.</param>
    /// <param name="along">Digests that came with it; null for none.</param>
    /// <param name="end">How its end was told.</param>
    /// <param name="cancellationToken">Ends the questions.</param>
    /// <exception cref="PelicanException">It is a collection, it has no digest where one is required, or nobody answers.</exception>
    public async Task<DownloadFinding> JudgeAsync(ObjectServer server, DigestAnswer? along, BodyEnd end, CancellationToken cancellationToken)
    {
        // What does not agree, or is not there, is asked for once more, as if it had not been.
        if (along is not null && (along.Size ?? target.Length) == target.Length
            && DigestJudge.Judge(along, algorithm => Compute(algorithm, cancellationToken), options.Algorithm)
                is { Verification: Verification.Verified } verified)
        {
            return new DownloadFinding(verified, server);
        }

        (long? told, DigestVerdict verdict) = await AskAsync(server, cancellationToken);
        ObjectServer teller = server;
        if (verdict.Verification == Verification.Unverified)
        {
            (verdict, teller) = await AskWitnessesAsync(server, verdict, cancellationToken);
        }

        ObjectInfo? info = null;
        if (verdict.Verification != Verification.Verified || told is null)
        {
            // Nothing but PROPFIND tells a collection from an object, and a size from no size. That no size was told looks like
            // none in a listing.
            bool listed = source.ListedAsYet is { Info.Size: > 0 and <= DigestTurns.Small and var expected } && expected == target.Length;
            info = listed ? source.Listed!.Value.Info : await DownloadSource.TryStatAsync(server, cancellationToken);
            if (info is { IsCollection: true })
            {
                throw Faults.IsCollection(server.Path);
            }

            told = info?.Size ?? told;
        }

        long have = target.Length;
        if (verdict.Verification != Verification.Verified && told is { } size && size != have)
        {
            // Too few are no wrong ones, where it is known how many there are to be.
            return Wrong(null, Errors.Transfer, $"{server.Name} sent {have} bytes of '{server.Path}', which has {size}") with { IsShort = have < size && target.State?.Size == size };
        }

        if (verdict.Verification is null)
        {
            // A part that was continued may mix two versions of the object: that is not this server's fault.
            return Wrong(teller, source.IsContinued ? Errors.ObjectChanged : Errors.ChecksumMismatch,
                $"what came from {server.Name} is not '{server.Path}': {verdict.Why}");
        }

        return verdict.Verification == Verification.Verified ? new DownloadFinding(verdict, teller) : Unverified(server, verdict, (told, info), end);
    }

    /// <summary>Whether all bytes are in place and a digest says so, however their last answer ended.</summary>
    public async Task<DigestVerdict?> IsWholeAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        try
        {
            (_, DigestVerdict verdict) = await AskAsync(server, cancellationToken);
            if (verdict.Verification == Verification.Unverified)
            {
                (verdict, _) = await AskWitnessesAsync(server, verdict, cancellationToken);
            }

            return verdict.Verification == Verification.Verified ? verdict : null;
        }
        catch (PelicanException)
        {
            return null;
        }
    }

    // Without a digest everything else must be sure: that it is all there, and that it is of one version.
    private DownloadFinding Unverified(ObjectServer server, DigestVerdict verdict, (long? Size, ObjectInfo? Info) told, BodyEnd end)
    {
        bool all = told.Size is not null || (target.Length > 0 && (end == BodyEnd.Confirmed || (end == BodyEnd.LastChunk && !server.EndsWhatItCannotRead)));
        if (!all)
        {
            return Wrong(null, Errors.Transfer, $"{server.Name} did not confirm that it sent all of '{server.Path}', and has no digest of it");
        }

        if (source.MustBeVerified)
        {
            return Wrong(null, Errors.ObjectChanged,
                $"'{server.Path}' came in pieces that may be of two versions, and no server has a digest to tell ({verdict.Why})");
        }

        if (source.HasChanged(server, told.Info))
        {
            return Wrong(null, Errors.ObjectChanged, DownloadSource.Changed(server).Message);
        }

        if (options.RequireChecksum || options.Algorithm is not null)
        {
            throw new PelicanException(Errors.ChecksumMissing, $"'{server.Path}' cannot be verified, and you require it: {verdict.Why}",
                "Leave out --require-checksum to accept an object whose size alone was checked.");
        }

        return new DownloadFinding(verdict, null);
    }

    private static DownloadFinding Wrong(ObjectServer? teller, ErrorRow row, string message) => new(null, teller, row, message);

    private Task<(long? Size, DigestVerdict Verdict)> AskAsync(ObjectServer server, CancellationToken cancellationToken) => DigestJudge.AskAsync(
        server, target.Length, algorithm => Compute(algorithm, cancellationToken), options.Algorithm, cancellationToken);

    // The caches of 5.5 cannot tell the digest of what takes a token; the origin can.
    private async Task<(DigestVerdict, ObjectServer)> AskWitnessesAsync(ObjectServer server, DigestVerdict verdict, CancellationToken cancellationToken)
    {
        foreach (ObjectServer witness in Witnesses.Where(w => w.Url != server.Url).DistinctBy(w => w.Url))
        {
            try
            {
                DigestVerdict other = (await AskAsync(witness, cancellationToken)).Verdict;
                if (other.Verification != Verification.Unverified)
                {
                    return (other, witness);
                }
            }
            catch (PelicanException)
            {
                // It knows nothing of it.
            }
        }

        return (verdict, server);
    }

    private byte[]? Compute(ChecksumAlgorithm algorithm, CancellationToken cancellationToken)
    {
        if (algorithm == ChecksumAlgorithm.Crc32c)
        {
            return digest.Value();
        }

        if (!target.CanRewind)
        {
            return null;
        }

        using Checksum checksum = Checksum.Create(algorithm);
        target.AppendTo(checksum, cancellationToken);
        return checksum.Value();
    }
}
