namespace Pelican.Transfer;

/// <summary>
/// One file to an origin. The final name is there at once and grows, whatever a client does (xrootd.md 6.5): so what a
/// failed upload left is removed, if it was this upload that made it, and success is what size and digest confirm.
/// </summary>
internal sealed class Upload(TransferOptions options, TransferProgress progress, ClientSettings settings, TimeProvider clock, Retries retries)
{
    private const int Tries = 4;

    /// <summary>Bodies from this size are announced first, so that a refusal costs no bytes (xrootd.md 6.3, 6.4).</summary>
    private const long ExpectFrom = 64 * 1024;

    private readonly UploadProof _proof = new(options);
    private readonly List<Attempt> _attempts = [];

    // Servers that may have something of ours, and whether the last sending there had an answer.
    private readonly Dictionary<ObjectServer, bool> _mayHaveOurs = [];
    private readonly Dictionary<ObjectServer, ObjectInfo> _there = [];
    private readonly long _started = clock.GetTimestamp();
    private bool _knowsExpect = true;

    // Has taken it all, and told nothing of it since.
    private ObjectServer? _taken;

    // Has something that may be ours or somebody else's: it is looked at before anything is sent elsewhere.
    private ObjectServer? _doubted;

    /// <summary>Sends the file until the server confirms it.</summary>
    /// <param name="path">Absolute local path.</param>
    /// <param name="servers">The object at its origins, best first; all have been looked at.</param>
    /// <param name="there">What is there already and may be replaced; null for nothing.</param>
    /// <param name="onlyNew">Whether nothing may be replaced: it is asked of the server with each PUT, and looked at again before each but the first.</param>
    /// <param name="isLeft">Whether what is there is what an earlier run has left, as was seen just now: the first PUT may replace it.</param>
    /// <param name="destination">How the result names the object.</param>
    /// <param name="cancellationToken">Stops it; what is left is removed first, or told in <see cref="TransferProgress.Left"/>.</param>
    public async Task<TransferResult> RunAsync(string path, IReadOnlyList<ObjectServer> servers, ObjectInfo? there, bool onlyNew, bool isLeft, string destination,
        CancellationToken cancellationToken)
    {
        using UploadSource source = UploadSource.Open(path);
        if (isLeft)
        {
            _mayHaveOurs[servers[0]] = true;
        }

        progress.SetTotal(source.Length);
        for (int number = 1; ; number++)
        {
            ObjectServer server = _doubted ?? servers[(number - 1) % servers.Count];
            progress.SetServer(server.Name);
            using UploadSending sending = new(server, source, settings, progress, clock) { There = _there.GetValueOrDefault(server) ?? there, OnlyNew = onlyNew && !(isLeft && number == 1) };
            DigestVerdict? verdict;
            PelicanException? failure;
            try
            {
                (verdict, failure) = await TryAsync(sending, source, isFirst: number == 1, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await StopAsync(sending, source);
                throw;
            }

            if (sending.HasBegun || failure is not null)
            {
                _attempts.Add(new Attempt(server.Name, sending.Sent, sending.Elapsed, failure?.Message, failure?.Row));
            }

            if (verdict is not null)
            {
                return Result(source, destination, server, verdict);
            }

            _knowsExpect &= !sending.IsExpectRefused;
            await LeaveAsync(sending, source, failure!, number < Tries);
            progress.SetBytes(0);
            await retries.WaitAsync(number, failure, cancellationToken);
        }
    }

    // A verdict, or a failure, or both when the object is whole all the same.
    private async Task<(DigestVerdict? Verdict, PelicanException? Failure)> TryAsync(
        UploadSending sending, UploadSource source, bool isFirst, CancellationToken cancellationToken)
    {
        try
        {
            if (!isFirst && await LookAgainAsync(sending, source, cancellationToken) is { } whole)
            {
                return (whole, null);
            }

            // A second PUT is announced whatever its size: a refusal may come of what the first has left.
            await sending.SendAsync(_knowsExpect && source.Length >= (isFirst ? ExpectFrom : 1), cancellationToken);
            return (await _proof.ConfirmAsync(sending.Server, sending.Digest, source, cancellationToken), null);
        }
        catch (PelicanException e)
        {
            PelicanException failure = sending.FileFault is { } fault ? Faults.FromLocal(fault, source.Path, "read") : e;
            return !UploadProof.IsUnclear(failure, sending, source) ? (null, failure)
                : source.Change() is { } change ? (null, change)
                : (await _proof.TryConfirmAsync(sending, source, cancellationToken), failure);
        }
    }

    // Before another PUT: what is there by now. A verdict if it is all of the file.
    private async Task<DigestVerdict?> LookAgainAsync(UploadSending sending, UploadSource source, CancellationToken cancellationToken)
    {
        ObjectServer server = sending.Server;
        if (server == _taken && await TakenAsync(server, source, cancellationToken) is { } confirmed)
        {
            return confirmed;
        }

        ObjectInfo? found;
        try
        {
            found = await server.StatAsync(cancellationToken);
        }
        catch (PelicanException e) when (e.Row == Errors.Authorization && (!sending.OnlyNew || server.KeepsWhatIsThere))
        {
            return null;
        }

        if (found is null)
        {
            return null;
        }

        bool mayBeOurs = _mayHaveOurs.TryGetValue(server, out bool answered);
        if (mayBeOurs)
        {
            DigestVerdict compared = await ContentProof.CompareAsync(server, found.Size, source.Path, options.Algorithm, cancellationToken);
            if (compared.Verification == Verification.Verified)
            {
                return compared;
            }

            if (await CutUpload.IsOursAsync(server, source, found, answered, cancellationToken))
            {
                sending.OnlyNew = false;
                return null;
            }
        }

        if (sending.OnlyNew)
        {
            throw mayBeOurs ? server.ExistsAlready("it cannot be told from somebody else's") : server.ExistsAlready();
        }

        // It may be replaced, and is not ours to remove.
        sending.There ??= _there[server] = found;
        return null;
    }

    // Null when it turns out to be something else, which is then looked at like anything that is there.
    private async Task<DigestVerdict?> TakenAsync(ObjectServer server, UploadSource source, CancellationToken cancellationToken)
    {
        try
        {
            return await _proof.ConfirmAsync(server, null, source, cancellationToken);
        }
        catch (PelicanException e) when (e.Row == Errors.Transfer || e.Row == Errors.ChecksumMismatch)
        {
            return null;
        }
    }

    // After a failure: nothing incomplete stays behind untold. Throws when it was the last.
    private async Task LeaveAsync(UploadSending sending, UploadSource source, PelicanException failure, bool mayGoOn)
    {
        ObjectServer server = sending.Server;
        bool again = mayGoOn && failure.Retryable && failure.Row != Errors.ServerFull && failure.Row != Errors.TokenExpired;
        // Taken, and neither wrong nor changed meanwhile.
        bool isUnconfirmed = failure.Row == UploadProof.Unconfirmed
            || (sending.IsTaken && (failure.Row == Errors.ChecksumMissing || failure.Row == Errors.Authorization));
        string? left;
        if (isUnconfirmed || (again && sending.Owner == UploadOwner.Unknown))
        {
            _doubted = server;
            _taken = isUnconfirmed ? server : _taken;
            _mayHaveOurs[server] = sending.Status is not null;
            left = isUnconfirmed ? "it was left as it is: look at it with 'pelican object stat'" : CutUpload.Incomplete(server);
        }
        else
        {
            UploadRemains remains = await CutUpload.CleanUpAsync(sending, source, clock);
            // While one server may have half of it, no other one gets it.
            _doubted = remains.MayBeOurs ? server : sending.HasBegun ? null : _doubted;
            if (remains.MayBeOurs)
            {
                _mayHaveOurs[server] = sending.Status is not null;
            }
            else if (sending.Owner != UploadOwner.Nobody)
            {
                _mayHaveOurs.Remove(server);
            }

            // What an earlier attempt has left is there still.
            left = remains.Told ?? (sending.Owner == UploadOwner.Nobody ? progress.Left : null);
        }

        progress.SetLeft(left);
        if (!again)
        {
            throw new PelicanException(failure.Row == UploadProof.Unconfirmed ? Errors.Transfer : failure.Row, left is null ? failure.Message : $"{failure.Message}; {left}", failure.NextStep, failure)
            {
                Retryable = failure.Retryable,
                Attempts = _attempts,
            };
        }
    }

    // What was sent whole stays: whoever goes on asks whether it is right.
    private async Task StopAsync(UploadSending sending, UploadSource source)
    {
        string? left = sending.IsTaken ? $"'{sending.Server.Path}' was sent whole to {sending.Server.Name}, and not confirmed yet"
            : (await CutUpload.CleanUpAsync(sending, source, clock)).Told;
        // What an earlier attempt has left is there still.
        progress.SetLeft(left ?? progress.Left);
    }

    private TransferResult Result(UploadSource source, string destination, ObjectServer server, DigestVerdict verdict) => new()
    {
        Source = source.Path,
        Destination = destination,
        Size = source.Length,
        Server = server.Name,
        Elapsed = clock.GetElapsedTime(_started),
        Verification = verdict.Verification!.Value,
        Algorithm = verdict.Algorithm,
        Checksum = verdict.Checksum,
        UnverifiedReason = verdict.Why,
        Attempts = _attempts,
    };
}
