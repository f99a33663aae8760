namespace Pelican.Transfer;

/// <summary>
/// Success is what the server confirms: the digest, or the size where it has none. What HEAD does not tell, or tells otherwise than it
/// should be, is asked by PROPFIND too; only what both tell, or one alone can tell, is believed to be wrong.
/// </summary>
internal sealed class UploadProof(TransferOptions options)
{
    /// <summary>Of an upload that was taken and that nobody can confirm: it is neither a success nor to be removed.</summary>
    public static readonly ErrorRow Unconfirmed = Errors.Transfer with { Retryable = false };

    /// <summary>Asks whether what the server has is what was sent.</summary>
    /// <param name="server">The object.</param>
    /// <param name="sent">Digest of what was sent; null to compute it from the file, which must be what it was.</param>
    /// <param name="source">The file.</param>
    /// <param name="cancellationToken">Ends the questions.</param>
    /// <exception cref="PelicanException">It is not; of row <see cref="Unconfirmed"/> when that is not known.</exception>
    public async Task<DigestVerdict> ConfirmAsync(ObjectServer server, Crc32cChecksum? sent, UploadSource source, CancellationToken cancellationToken)
    {
        if (source.Change() is { } change)
        {
            throw change;
        }

        (long? size, DigestVerdict verdict) = await AskAsync(server, sent, source, cancellationToken);
        string? mayNotLook = size == source.Length ? null : await WeighAsync(server, source.Length, size, verdict, cancellationToken);
        if (verdict.Verification is null)
        {
            throw new PelicanException(Errors.ChecksumMismatch, $"what {server.Name} has is not '{source.Path}': {verdict.Why}");
        }

        if (verdict.Verification == Verification.Verified)
        {
            return verdict;
        }

        verdict = mayNotLook is null ? verdict : verdict with { Why = mayNotLook };
        return !options.RequireChecksum && options.Algorithm is null ? verdict
            : throw new PelicanException(mayNotLook is null ? Errors.ChecksumMissing : Errors.Authorization,
                $"'{server.Path}' cannot be verified, and you require it: {verdict.Why}",
                options.RequireChecksum ? "Leave out --require-checksum to accept an upload whose size alone was checked." : "Ask for another algorithm, or for none.");
    }

    /// <summary>Whether all may be there although the sending failed: that is asked before anything is sent again or removed.</summary>
    public static bool IsUnclear(PelicanException failure, UploadSending sending, UploadSource source) =>
        sending.HasBegun && sending.Sent == source.Length
            && (failure.Row == Errors.ConnectionReset || failure.Row == Errors.Protocol || failure.Row == Errors.Stopped || failure.Row == Errors.Transfer);

    /// <summary>The same for what has failed.</summary>
    /// <returns>Null when it is not what was sent, or that is not known: the failure stands.</returns>
    public async Task<DigestVerdict?> TryConfirmAsync(UploadSending sending, UploadSource source, CancellationToken cancellationToken)
    {
        try
        {
            DigestVerdict verdict = await ConfirmAsync(sending.Server, sending.Digest, source, cancellationToken);
            return verdict.Verification == Verification.Verified ? verdict : null;
        }
        catch (PelicanException)
        {
            return null;
        }
    }

    private async Task<(long? Size, DigestVerdict Verdict)> AskAsync(ObjectServer server, Crc32cChecksum? sent, UploadSource source, CancellationToken cancellationToken)
    {
        try
        {
            return await AnsweredAsync(server, DigestJudge.AskAsync(server, source.Length,
                algorithm => algorithm == ChecksumAlgorithm.Crc32c && sent is not null ? sent.Value() : Checksum.OfFile(source.Path, algorithm, cancellationToken),
                options.Algorithm, cancellationToken));
        }
        catch (PelicanException e) when (e.Row == Errors.NotFound)
        {
            // PROPFIND has the last word.
            return (null, new DigestVerdict(Verification.Unverified, null, null, "the server says that it has no such object when its digest is asked for"));
        }
    }

    // Throws what the sizes say; else tells why they could not be asked, null when they could.
    private static async Task<string?> WeighAsync(ObjectServer server, long length, long? size, DigestVerdict verdict, CancellationToken cancellationToken)
    {
        long? listed;
        try
        {
            listed = (await AnsweredAsync(server, server.StatAsync(cancellationToken)) ?? throw new PelicanException(Errors.Transfer,
                $"{server.Name} said that it took '{server.Path}', and does not have it")).Size;
        }
        catch (PelicanException e) when (e.Row == Errors.Authorization || e.Row == Errors.TokenNotFound)
        {
            return size is null || verdict.Verification != Verification.Unverified ? "the token may not read it there (storage.read)"
                : throw new PelicanException(Unconfirmed, $"{server.Name} has {size} bytes of '{server.Path}' after {length} were sent, as it said once, and may not be asked again");
        }

        if (listed is { } told && told != length)
        {
            throw size is null || size == listed
                ? new PelicanException(Errors.Transfer, $"{server.Name} has {told} bytes of '{server.Path}' after {length} were sent")
                : new PelicanException(Unconfirmed, $"{server.Name} tells two sizes of '{server.Path}' after {length} bytes were sent: {size} and {told}");
        }

        return listed is not null || verdict.Verification == Verification.Verified ? null
            : throw new PelicanException(Unconfirmed, $"cannot confirm the upload of '{server.Path}': {server.Name} does not tell its size"
                + (size is { } odd ? $" but once, as {odd} bytes and not {length}" : ""));
    }

    // A server that takes an object and then answers no question has it all the same.
    private static async Task<T> AnsweredAsync<T>(ObjectServer server, Task<T> question)
    {
        try
        {
            return await question;
        }
        catch (PelicanException e) when (e.Retryable)
        {
            throw new PelicanException(Unconfirmed, $"cannot confirm the upload of '{server.Path}' at {server.Name}: {e.Message}", null, e)
            {
                Retryable = true,
                RetryAfter = e.RetryAfter,
            };
        }
    }
}
