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

    private readonly List<Attempt> _attempts = [];
    private readonly long _started = clock.GetTimestamp();
    private PelicanException? _refusal;

    /// <summary>Looks at the file before anything is asked of the network.</summary>
    /// <exception cref="PelicanException">It is not there, is a directory, or may not be read.</exception>
    public static void CheckSource(string path) => OpenSource(path).Dispose();

    /// <summary>Sends the file until the server confirms it.</summary>
    /// <param name="path">Absolute local path.</param>
    /// <param name="servers">The object at its origins, best first.</param>
    /// <param name="created">Whether nothing is there yet: only then may what is left be removed.</param>
    /// <param name="destination">How the result names the object.</param>
    /// <param name="cancellationToken">Stops it; what is left is removed first.</param>
    public async Task<TransferResult> RunAsync(
        string path, IReadOnlyList<ObjectServer> servers, bool created, string destination, CancellationToken cancellationToken)
    {
        using FileStream file = OpenSource(path);
        (long length, DateTime modified) = (file.Length, File.GetLastWriteTimeUtc(file.SafeFileHandle));
        progress.SetTotal(length);
        bool expect = length >= ExpectFrom;
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
            try
            {
                status = await SendAsync(server, () => body = new UploadBody(file.SafeFileHandle, length, digest, watch, progress), expect, watch, cancellationToken);
                if (_refusal is { } refusal)
                {
                    throw refusal;
                }

                CheckUnchanged(path, file, length, modified);
                verdict = await ConfirmAsync(server, path, length, digest, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await CleanUpAsync(server, created, Touched(body, status), answered: status is not null);
                throw;
            }
            catch (PelicanException e)
            {
                failure = body?.FileFault is { } fault ? Faults.FromLocal(fault, path, "read") : e;
            }

            _attempts.Add(new Attempt(server.Name, body?.Sent ?? 0, clock.GetElapsedTime(started), failure?.Message, failure?.Row));
            if (failure is not null)
            {
                verdict = await AfterFailureAsync(server, path, length, failure, body, digest, cancellationToken);
            }

            if (verdict is not null)
            {
                return Result(path, destination, length, server, verdict);
            }

            bool again = failure!.Retryable && failure.Row != Errors.ServerFull && failure.Row != Errors.TokenExpired && attempt < Tries;
            // Sent unannounced, and no answer: it may have been refused, and what is there be somebody else's. Announced, the next
            // attempt gets an answer.
            doubted = again && !expect && status is null && body is { Started: true } ? server : body is null ? doubted : null;
            string left = doubted is null ? await CleanUpAsync(server, created, Touched(body, status), answered: status is not null)
                : again ? "" : $"; an incomplete '{server.Path}' may be left at {server.Name}";
            if (!again)
            {
                throw new PelicanException(failure.Row, failure.Message + left, failure.NextStep, failure)
                {
                    Retryable = failure.Retryable,
                    Attempts = _attempts,
                };
            }

            expect = length > 0;
            progress.SetBytes(0);
            await Task.Delay(Backoff.Delay(attempt, settings.RetryDelay, failure.RetryAfter, random), clock, cancellationToken);
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

    // Whether the object may be ours by now. After a refusal it is somebody else's, who may be writing it at this moment;
    // but for a full disk, which is told after the first bytes.
    private static bool Touched(UploadBody? body, HttpStatusCode? status) =>
        body is { Started: true } && status is null or HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.InsufficientStorage;

    private async Task<HttpStatusCode> SendAsync(
        ObjectServer server, Func<HttpContent> body, bool expect, TransferWatch watch, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watch.Stopped);
        _refusal = null;
        try
        {
            // No limit of its own for the answer: an origin may take its time to commit, and the watch sees that nothing moves.
            using HttpResponseMessage response = await server.PutAsync(body, expect, Timeout.InfiniteTimeSpan, either.Token);
            if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent))
            {
                _refusal = await server.RefusalAsync(response, cancellationToken);
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

    private async Task<DigestVerdict> ConfirmAsync(
        ObjectServer server, string path, long length, Crc32cChecksum digest, CancellationToken cancellationToken)
    {
        (long? size, DigestVerdict verdict) = await DigestJudge.AskAsync(server, length,
            algorithm => algorithm == ChecksumAlgorithm.Crc32c ? digest.Value() : Checksum.OfFile(path, algorithm, cancellationToken),
            options.Algorithm, cancellationToken);
        if (size is { } told && told != length)
        {
            throw new PelicanException(Errors.Transfer, $"{server.Name} has {told} bytes of '{server.Path}' after {length} were sent");
        }

        if (verdict.Verification is null)
        {
            throw new PelicanException(Errors.ChecksumMismatch, $"what {server.Name} has is not '{path}': {verdict.Why}");
        }

        if (verdict.Verification == Verification.Unverified && (options.RequireChecksum || options.Algorithm is not null))
        {
            throw new PelicanException(Errors.ChecksumMissing, $"'{server.Path}' cannot be verified, and you require it: {verdict.Why}",
                "Leave out --require-checksum to accept an upload whose size alone was checked.");
        }

        return verdict;
    }

    // After an unclear end the object may be whole: that is asked before anything is sent again or removed.
    private async Task<DigestVerdict?> AfterFailureAsync(ObjectServer server, string path, long length, PelicanException failure,
        UploadBody? body, Crc32cChecksum digest, CancellationToken cancellationToken)
    {
        bool unclear = failure.Row == Errors.ConnectionReset || failure.Row == Errors.Protocol || failure.Row == Errors.Stopped || failure.Row == Errors.Transfer;
        if (!unclear || body is null || body.Sent != length)
        {
            return null;
        }

        try
        {
            DigestVerdict verdict = await ConfirmAsync(server, path, length, digest, cancellationToken);
            return verdict.Verification == Verification.Verified ? verdict : null;
        }
        catch (PelicanException)
        {
            // Not whole, or not to be known: the failure stands.
            return null;
        }
    }

    // Says what became of the incomplete object, for the end of a message.
    private async Task<string> CleanUpAsync(ObjectServer server, bool created, bool touched, bool answered)
    {
        if (!touched)
        {
            return "";
        }

        if (!created)
        {
            return $"; '{server.Path}' had been there before, and may now be incomplete at {server.Name}";
        }

        using CancellationTokenSource limit = new(CleanUpLimit, clock);
        try
        {
            return await CutUpload.RemoveAsync(server, answered, clock, limit.Token) ? "; the incomplete object was removed" : "";
        }
        catch (Exception e) when (e is PelicanException or OperationCanceledException)
        {
            return $"; an incomplete '{server.Path}' may be left at {server.Name}, and could not be removed";
        }
    }

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
