using System.Net;

namespace Pelican.Transfer;

/// <summary>
/// One file to an origin. The final name is there at once and grows, whatever a client does (xrootd.md 6.5): so what a
/// failed upload left is removed, if it was this upload that made it, and success is what size and digest confirm.
/// </summary>
internal sealed class Upload(TransferOptions options, TransferProgress progress, ClientSettings settings, TimeProvider clock, Random random)
{
    private const int Tries = 4;

    /// <summary>Bodies from this size are announced first, so that a refusal costs no bytes (xrootd.md 6.3, 6.4).</summary>
    private const long ExpectFrom = 64 * 1024;

    private static readonly TimeSpan CleanUpLimit = TimeSpan.FromSeconds(10);

    /// <summary>Timers may end a little early.</summary>
    private static readonly TimeSpan TimerSlack = TimeSpan.FromMilliseconds(50);

    private readonly List<Attempt> _attempts = [];
    private readonly long _started = clock.GetTimestamp();
    private PelicanException? _refusal;
    private bool _announced;

    /// <summary>Of an upload that nobody can confirm: it is neither a success nor to be removed.</summary>
    private static readonly ErrorRow Unconfirmed = Errors.Transfer with { Retryable = false };

    private enum Owner
    {
        Nobody,
        Unknown,
        Us,
    }

    /// <summary>Looks at the file before anything is asked of the network.</summary>
    /// <exception cref="PelicanException">It is not there, is a directory, or may not be read.</exception>
    public static void CheckSource(string path) => OpenSource(path).Dispose();

    /// <summary>Sends the file until the server confirms it.</summary>
    /// <param name="path">Absolute local path.</param>
    /// <param name="servers">The object at its origins, best first; all have been looked at.</param>
    /// <param name="there">What is there already and may be replaced; null for nothing.</param>
    /// <param name="onlyNew">Whether nothing may be replaced: it is asked of the server with each PUT, and looked at again before each but the first.</param>
    /// <param name="destination">How the result names the object.</param>
    /// <param name="cancellationToken">Stops it; what is left is removed first, or told in <see cref="TransferProgress.Left"/>.</param>
    public async Task<TransferResult> RunAsync(string path, IReadOnlyList<ObjectServer> servers, ObjectInfo? there, bool onlyNew, string destination,
        CancellationToken cancellationToken)
    {
        using FileStream file = OpenSource(path);
        (long length, DateTime modified) = (file.Length, File.GetLastWriteTimeUtc(file.SafeFileHandle));
        RefuseUnknownSize(file, path, length);
        progress.SetTotal(length);
        bool expect = length >= ExpectFrom;
        bool knowsExpect = true;
        ObjectServer? doubted = null;
        for (int attempt = 1; ; attempt++)
        {
            ObjectServer server = doubted ?? servers[(attempt - 1) % servers.Count];
            progress.SetServer(server.Name);
            long started = clock.GetTimestamp();
            using Crc32cChecksum digest = new();
            using TransferWatch watch = new(settings, slowRule: false, clock);
            UploadBody? body = null;
            PelicanException? failure = null;
            DigestVerdict? verdict = null;
            HttpStatusCode? status = null;
            bool only = onlyNew;
            try
            {
                if (attempt > 1 && onlyNew)
                {
                    (only, verdict) = await LookAgainAsync(server, path, doubted is not null, cancellationToken);
                    if (verdict is not null)
                    {
                        return Result(path, destination, length, server, verdict);
                    }
                }

                status = await SendAsync(server, NewBody, new PutTerms(only, expect && knowsExpect), watch, cancellationToken);
                if (status == HttpStatusCode.ExpectationFailed && expect && knowsExpect)
                {
                    // RFC 9110, 10.1.1: the same again, unannounced.
                    (knowsExpect, status) = (false, null);
                    status = await SendAsync(server, NewBody, new PutTerms(only, Announced: false), watch, cancellationToken);
                }

                if (_refusal is { } refusal)
                {
                    throw refusal;
                }

                CheckUnchanged(path, file, length, modified);
                verdict = await ConfirmAsync(server, path, length, digest, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await StopAsync(server, path, there, Whose(body, status, started), status);
                throw;
            }
            catch (PelicanException e)
            {
                failure = body?.FileFault is { } fault ? Faults.FromLocal(fault, path, "read") : e;
            }

            _attempts.Add(new Attempt(server.Name, body?.Sent ?? 0, clock.GetElapsedTime(started), failure?.Message, failure?.Row));
            if (failure is not null)
            {
                try
                {
                    verdict = await AfterFailureAsync(server, path, (file, length, modified), failure, body, digest, cancellationToken);
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    await StopAsync(server, path, there, Whose(body, status, started), status);
                    throw;
                }
            }

            if (verdict is not null)
            {
                return Result(path, destination, length, server, verdict);
            }

            bool again = failure!.Retryable && failure.Row != Errors.ServerFull && failure.Row != Errors.TokenExpired && attempt < Tries;
            Owner whose = Whose(body, status, started);
            // No answer, and the server had not asked for the body: what is there may be somebody else's. It is looked at before the next PUT.
            doubted = again && whose == Owner.Unknown ? server : body is null ? doubted : null;
            string left = failure.Row == Unconfirmed ? $"; it was left as it is: look at it with 'pelican object stat'"
                : doubted is null ? await CleanUpAsync(server, path, there, whose, answered: status is not null)
                : "";
            left = left.Length == 0 && whose == Owner.Nobody && progress.Left is { } earlier ? $"; {earlier}" : left;
            if (!again)
            {
                throw new PelicanException(failure.Row == Unconfirmed ? Errors.Transfer : failure.Row, failure.Message + left, failure.NextStep, failure)
                {
                    Retryable = failure.Retryable,
                    Attempts = _attempts,
                };
            }

            expect = length > 0;
            progress.SetBytes(0);
            progress.SetLeft(doubted is null ? left.Length == 0 ? null : left[2..] : $"an incomplete '{server.Path}' may be left at {server.Name}");
            await Task.Delay(Backoff.Delay(attempt, settings.RetryDelay, failure.RetryAfter, random), clock, cancellationToken);

            HttpContent NewBody()
            {
                // One digest, one sending: a redirect sends it again.
                digest.Reset();
                return body = new UploadBody(file.SafeFileHandle, length, digest, watch, progress, clock);
            }
        }
    }

    private static FileStream OpenSource(string path)
    {
        try
        {
            return LocalEntry.At(path).Kind switch
            {
                LocalKind.Directory => throw new PelicanException(Errors.Parameter, $"'{path}' is a directory",
                    "Name the files in it, or upload it whole with -r."),
                // To open a pipe waits for its writer, and nothing ends that.
                LocalKind.Special when path != "/dev/null" => throw new PelicanException(Errors.NotSupported,
                    $"'{path}' is a pipe, a socket or a device: its size is not known before its end", "Write it to a file first."),
                _ => new FileStream(path, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 }),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "read");
        }
    }

    // What is empty for the kernel and has bytes all the same, as in /proc.
    private static void RefuseUnknownSize(FileStream file, string path, long length)
    {
        try
        {
            if (length == 0 && path != "/dev/null" && RandomAccess.Read(file.SafeFileHandle, new byte[1], 0) > 0)
            {
                throw new PelicanException(Errors.NotSupported, $"cannot upload '{path}': its size is not known before its end", "Write it to a file first.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "read");
        }
    }

    // After a refusal what is there is somebody else's, who may be writing it at this moment; but for a full disk, which is told
    // after the first bytes. Without an answer it is ours if the server had asked for the body: by its 100, long before our patience ended.
    private Owner Whose(UploadBody? body, HttpStatusCode? status, long started) => status switch
    {
        HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.InsufficientStorage => Owner.Us,
        not null => Owner.Nobody,
        _ when body?.StartedAt is { } at => _announced && clock.GetElapsedTime(started, at) < HttpStack.PatienceForContinue - TimerSlack ? Owner.Us : Owner.Unknown,
        _ => Owner.Nobody,
    };

    // Before another PUT that may replace nothing: whether it still may not, and a verdict if all is there by now.
    private async Task<(bool OnlyNew, DigestVerdict? Verdict)> LookAgainAsync(ObjectServer server, string path, bool mayBeOurs, CancellationToken cancellationToken)
    {
        ObjectInfo? found;
        try
        {
            found = await server.StatAsync(cancellationToken);
        }
        catch (PelicanException e) when (e.Row == Errors.Authorization && server.KeepsWhatIsThere)
        {
            return (true, null);
        }

        if (found is null)
        {
            return (true, null);
        }

        if (mayBeOurs && await ContentProof.CompareAsync(server, found.Size, path, options.Algorithm, cancellationToken) is { Verification: Verification.Verified } whole)
        {
            return (true, whole);
        }

        return mayBeOurs && found.Size > 0 && await ContentProof.IsBeginningAsync(server, found.Size, path, cancellationToken)
            ? (false, null)
            : throw server.ExistsAlready();
    }

    private async Task<HttpStatusCode> SendAsync(
        ObjectServer server, Func<HttpContent> body, PutTerms terms, TransferWatch watch, CancellationToken cancellationToken)
    {
        _announced = terms.Announced;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watch.Stopped);
        _refusal = null;
        try
        {
            // No limit of its own for the answer: an origin may take its time to commit, and the watch sees that nothing moves.
            using HttpResponseMessage response = await server.PutAsync(body, terms, Timeout.InfiniteTimeSpan, either.Token);
            if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.ExpectationFailed)
                || (response.StatusCode == HttpStatusCode.ExpectationFailed && !terms.Announced))
            {
                _refusal = await server.PutRefusalAsync(response, cancellationToken);
            }

            return response.StatusCode;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && watch.Reason != StopReason.None)
        {
            throw new PelicanException(Errors.Stopped, $"{server.Name} took nothing more of '{server.Path}' for too long");
        }
    }

    private static void CheckUnchanged(string path, FileStream file, long length, DateTime modified)
    {
        if (file.Length != length || File.GetLastWriteTimeUtc(file.SafeFileHandle) != modified)
        {
            throw new PelicanException(Errors.Local, $"'{path}' was changed while it was uploaded",
                "Wait until whatever writes it is done, then upload it again.");
        }
    }

    // Success is what the server confirms: the digest, or the size where it has none. What HEAD does not tell, or tells otherwise than
    // it should be, is asked by PROPFIND too; only what both tell, or one alone can tell, is believed to be wrong.
    private async Task<DigestVerdict> ConfirmAsync(
        ObjectServer server, string path, long length, Crc32cChecksum digest, CancellationToken cancellationToken)
    {
        (long? size, DigestVerdict verdict) = await DigestJudge.AskAsync(server, length,
            algorithm => algorithm == ChecksumAlgorithm.Crc32c ? digest.Value() : Checksum.OfFile(path, algorithm, cancellationToken),
            options.Algorithm, cancellationToken);
        string? mayNotLook = null;
        if (size != length)
        {
            long? listed = null;
            try
            {
                listed = (await server.StatAsync(cancellationToken) ?? throw new PelicanException(Errors.Transfer,
                    $"{server.Name} said that it took '{server.Path}', and does not have it")).Size;
            }
            catch (PelicanException e) when (e.Row == Errors.Authorization || e.Row == Errors.TokenNotFound)
            {
                mayNotLook = "the token may not read it there (storage.read)";
            }

            if (listed is { } told && told != length)
            {
                throw size is null || size == listed
                    ? new PelicanException(Errors.Transfer, $"{server.Name} has {told} bytes of '{server.Path}' after {length} were sent")
                    : new PelicanException(Unconfirmed, $"{server.Name} tells two sizes of '{server.Path}' after {length} bytes were sent: {size} and {told}");
            }

            if (listed is null && mayNotLook is null && verdict.Verification != Verification.Verified)
            {
                throw new PelicanException(Unconfirmed, $"cannot confirm the upload of '{server.Path}': {server.Name} does not tell its size"
                    + (size is { } odd ? $" but once, as {odd} bytes and not {length}" : ""));
            }
        }

        if (verdict.Verification is null)
        {
            throw new PelicanException(Errors.ChecksumMismatch, $"what {server.Name} has is not '{path}': {verdict.Why}");
        }

        if (verdict.Verification == Verification.Unverified && mayNotLook is not null)
        {
            verdict = verdict with { Why = mayNotLook };
        }

        if (verdict.Verification == Verification.Unverified && (options.RequireChecksum || options.Algorithm is not null))
        {
            throw new PelicanException(mayNotLook is null ? Errors.ChecksumMissing : Errors.Authorization,
                $"'{server.Path}' cannot be verified, and you require it: {verdict.Why}",
                "Leave out --require-checksum to accept an upload whose size alone was checked.");
        }

        return verdict;
    }

    // After an unclear end the object may be whole: that is asked before anything is sent again or removed.
    private async Task<DigestVerdict?> AfterFailureAsync(ObjectServer server, string path, (FileStream File, long Length, DateTime Modified) source,
        PelicanException failure, UploadBody? body, Crc32cChecksum digest, CancellationToken cancellationToken)
    {
        bool unclear = failure.Row == Errors.ConnectionReset || failure.Row == Errors.Protocol || failure.Row == Errors.Stopped || failure.Row == Errors.Transfer;
        if (!unclear || body is null || body.Sent != source.Length)
        {
            return null;
        }

        try
        {
            CheckUnchanged(path, source.File, source.Length, source.Modified);
            DigestVerdict verdict = await ConfirmAsync(server, path, source.Length, digest, cancellationToken);
            return verdict.Verification == Verification.Verified ? verdict : null;
        }
        catch (PelicanException)
        {
            // Not whole, or not to be known: the failure stands.
            return null;
        }
    }

    // What was sent whole stays: whoever goes on asks whether it is right.
    private async Task StopAsync(ObjectServer server, string path, ObjectInfo? there, Owner whose, HttpStatusCode? status)
    {
        string left = status is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent
            ? $"; '{server.Path}' was sent whole to {server.Name}, and not confirmed yet"
            : await CleanUpAsync(server, path, there, whose, answered: status is not null);
        // What an earlier attempt has left is there still.
        progress.SetLeft(left.Length == 0 ? progress.Left : left[2..]);
    }

    // Says what became of the incomplete object, for the end of a message.
    private async Task<string> CleanUpAsync(ObjectServer server, string path, ObjectInfo? there, Owner whose, bool answered)
    {
        if (whose == Owner.Nobody)
        {
            return "";
        }

        using CancellationTokenSource limit = new(CleanUpLimit, clock);
        try
        {
            if (there is not null)
            {
                return await server.StatAsync(limit.Token) is { Size: not null } now && now.Size == there.Size && now.Modified == there.Modified
                    ? $"; '{server.Path}' at {server.Name} is as it was before"
                    : $"; '{server.Path}' had been there before, and may now be incomplete at {server.Name}";
            }

            return whose == Owner.Unknown && !await IsOursAsync(server, path, limit.Token)
                ? await server.StatAsync(limit.Token) is null ? "" : $"; an incomplete '{server.Path}' may be left at {server.Name}"
                : await CutUpload.RemoveAsync(server, answered, clock, limit.Token) ? "; the incomplete object was removed" : "";
        }
        catch (Exception e) when (e is PelicanException or OperationCanceledException)
        {
            return there is null ? $"; an incomplete '{server.Path}' may be left at {server.Name}, and could not be removed"
                : $"; '{server.Path}' had been there before, and may now be incomplete at {server.Name}";
        }
    }

    // Of what the server did not ask for: nothing was there when it was looked at, so it is ours if it is the beginning of the file. That an
    // empty object is, proves nothing; XRootD alone makes one for a body that has not come yet, and lets nobody else write it meanwhile.
    private static async Task<bool> IsOursAsync(ObjectServer server, string path, CancellationToken cancellationToken) =>
        await server.StatAsync(cancellationToken) is { } found
            ? (found.Size > 0 || server.KeepsWhatIsFull) && await ContentProof.IsBeginningAsync(server, found.Size, path, cancellationToken)
            : server.KeepsWhatIsFull;

    private TransferResult Result(string path, string destination, long length, ObjectServer server, DigestVerdict verdict) => new()
    {
        Source = path,
        Destination = destination,
        Size = length,
        Server = server.Name,
        Elapsed = clock.GetElapsedTime(_started),
        Verification = verdict.Verification!.Value,
        Algorithm = verdict.Algorithm,
        Checksum = verdict.Checksum,
        UnverifiedReason = verdict.Why,
        Attempts = _attempts,
    };
}
