using System.Net;

namespace Pelican.Transfer;

/// <summary>
/// One object from its servers into a target: each server in turn, from the byte reached, until the bytes are all there and
/// verified.
/// </summary>
/// <remarks>
/// 1. The whole object is asked for without a range; a part that an earlier attempt left is continued by ranges with both
///    ends (xrootd.md 3.7), once size and time have been compared with what the part remembers.
/// 2. The body goes to the target and through CRC-32C; its end is judged by length and trailer.
/// 3. A HEAD of its own asks for size and digest: verified, unverified, or wrong, and then the bytes go.
/// 4. What failed for good at one server is left out of the next round; rounds without progress are few.
/// </remarks>
internal sealed class Download : IDisposable
{
    private const long RangeBytes = 1024L * 1024 * 1024;
    private const int RoundsWithoutProgress = 3;

    private readonly DownloadTarget _target;
    private readonly TransferOptions _options;
    private readonly TransferProgress _progress;
    private readonly ClientSettings _settings;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly BodyCopier _copier;
    private readonly Crc32cChecksum _digest = new();
    private readonly List<Attempt> _attempts = [];
    private readonly long _started;
    private IReadOnlyList<ObjectServer> _witnesses = [];
    private ObjectServer? _origin;
    private DigestVerdict? _verdict;
    private DigestAnswer? _sentAlong;
    private bool _continued;
    private bool _mustBeVerified;
    private bool _final;
    private long? _size;

    public Download(DownloadTarget target, TransferOptions options, TransferProgress progress, ClientSettings settings, TimeProvider clock, Random random)
    {
        _target = target;
        _options = options;
        _progress = progress;
        _settings = settings;
        _clock = clock;
        _random = random;
        _started = clock.GetTimestamp();
        _copier = new BodyCopier(target, _digest, progress, settings, clock);
    }

    /// <summary>What a listing said of the object, and which server made it (host and port); null when there was none.</summary>
    public (ObjectInfo Info, string Server)? Listed { get; init; }

    /// <summary>Bytes that an earlier run had left, and this one went on from.</summary>
    public long ResumedFrom { get; private set; }

    /// <summary>Runs it to the end; again, with other servers, after it failed. The target is complete and checked when this returns; publishing is the caller's.</summary>
    /// <param name="servers">The object at its servers, best first.</param>
    /// <param name="witnesses">Others that may know its digest, when the one that sent it does not; first its origin, if known.</param>
    /// <param name="names">How the result is to name source and destination.</param>
    /// <param name="cancellationToken">Stops it; the target keeps what has arrived.</param>
    /// <exception cref="PelicanException">No server could; every attempt is in it.</exception>
    public async Task<TransferResult> RunAsync(
        IReadOnlyList<ObjectServer> servers, IReadOnlyList<ObjectServer> witnesses, (string Source, string Destination) names, CancellationToken cancellationToken)
    {
        List<ObjectServer> left = [.. servers];
        _witnesses = [.. servers, .. witnesses];
        _origin = witnesses.Count > 0 ? witnesses[0] : null;
        Dictionary<ObjectServer, PelicanException> failures = [];
        if (_attempts.Count == 0 && _target.Length > 0)
        {
            _target.AppendTo(_digest, cancellationToken);
            ResumedFrom = _target.Length;
            _continued = true;
        }

        for (int idle = 0, round = 1; ; round++)
        {
            long before = _target.Length;
            foreach (ObjectServer server in left.ToArray())
            {
                if (await TryAsync(server, cancellationToken) is not { } failure)
                {
                    return Result(server, names);
                }

                failures[server] = failure;
                if (_final || failure is { Retryable: false } && failure.Row == Errors.TokenExpired)
                {
                    throw failure;
                }

                if (!failure.Retryable || failure.Row == Errors.ChecksumMismatch)
                {
                    left.Remove(server);
                }
            }

            idle = _target.Length > before ? 0 : idle + 1;
            if (left.Count == 0 || idle >= RoundsWithoutProgress)
            {
                throw AttemptFailures.Combine($"could not download '{servers[0].Path}'", [.. servers.Select(s => failures[s])], _attempts);
            }

            TimeSpan? asked = left.Max(server => failures[server].RetryAfter);
            await Task.Delay(Backoff.Delay(round, _settings.RetryDelay, asked, _random), _clock, cancellationToken);
        }
    }

    // Null when it succeeded. What is wrong on this side of the network ends everything.
    private async Task<PelicanException?> TryAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        long started = _clock.GetTimestamp();
        long before = _target.Length;
        _progress.SetServer(server.Name);
        PelicanException? failure = null;
        try
        {
            await AttemptAsync(server, cancellationToken);
        }
        catch (PelicanException e) when (e.Row.Name.StartsWith("Local", StringComparison.Ordinal) || e.Row == Errors.IsCollection)
        {
            throw;
        }
        catch (PelicanException e)
        {
            failure = e;
        }

        long moved = Math.Max(0, _target.Length - before);
        _attempts.Add(new Attempt(server.Name, moved, _clock.GetElapsedTime(started), failure?.Message, failure?.Row));
        return failure;
    }

    private async Task AttemptAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        _mustBeVerified = false;
        _sentAlong = null;
        if (_target.Length > 0 && !await MayGoOnAsync(server, cancellationToken))
        {
            StartOver();
        }

        if (_target.Length == 0)
        {
            await WholeAsync(server, cancellationToken);
        }
        else
        {
            _continued = true;
            await RestAsync(server, cancellationToken);
        }

        await VerifyAsync(server, cancellationToken);
        _target.Seal(_digest.Value());
    }

    private async Task<bool> MayGoOnAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        if (!_target.CanGoOn)
        {
            return false;
        }

        ObjectInfo info = await FactsAsync(server, cancellationToken)
            ?? throw new PelicanException(Errors.NotFound, $"{server.Name} has no '{server.Path}'");
        if (info.Size is not { } size || !_target.ComesFrom(info))
        {
            return false;
        }

        // What a cache holds may be older than what its origin says: then only the digest of the whole will do.
        _mustBeVerified = _target.IsDoubtful || _origin is null || _origin.Url != server.Url;
        SetSize(size);
        return true;
    }

    private async Task WholeAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        (HttpResponseMessage answer, _sentAlong) = await server.GetWholeAsync(
            Listed?.Info.Size, DigestJudge.Wanted(_options.Algorithm), cancellationToken);
        using HttpResponseMessage response = answer;
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw response.StatusCode == HttpStatusCode.PartialContent
                ? new PelicanException(Errors.Protocol, $"{server.Name} sent a part of '{server.Path}' when asked for all of it")
                : await server.RefusalAsync(response, cancellationToken);
        }

        await CopyWholeAsync(server, response, cancellationToken);
        server.Sent(_target.Length);
    }

    private async Task CopyWholeAsync(ObjectServer server, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        long? length = ObjectLength.Of(response);
        if (length is { } known)
        {
            SetSize(known);
        }

        // Only a body that proves large is worth the question what it is, which a later attempt needs to continue it.
        using var asking = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task question = Task.CompletedTask;
        bool asked = false;
        try
        {
            bool confirmed = await _copier.CopyAsync(response, server.Name, length, bytes =>
            {
                if (bytes >= PartFile.WorthKeeping && !asked)
                {
                    asked = true;
                    // Not on the thread of the copy, which waits for its own connection only.
                    question = Task.Run(() => LearnAsync(server, length, asking.Token), CancellationToken.None);
                }

                return question.IsFaulted ? question : Task.CompletedTask;
            }, cancellationToken);
            _mustBeVerified = !confirmed;
        }
        finally
        {
            await asking.CancelAsync();
            await question.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Runs beside the copy. Without an answer the download goes on; it just cannot be continued. A listing of the
    // origin will do, unless the object has changed since.
    private async Task LearnAsync(ObjectServer server, long? length, CancellationToken cancellationToken)
    {
        ObjectInfo? info = Listed is { Info.Size: > 0 } known && known.Server == (_origin ?? server).Name && known.Info.Size == (length ?? known.Info.Size)
            ? known.Info
            : null;
        try
        {
            info ??= await FactsAsync(server, cancellationToken);
        }
        catch (PelicanException)
        {
            return;
        }

        if (info is null)
        {
            return;
        }

        if (info.IsCollection)
        {
            throw IsCollection(server);
        }

        if ((info.Size ?? length) is not { } size)
        {
            return;
        }

        if (length is { } promised && promised != size)
        {
            throw new PelicanException(Errors.ObjectChanged, $"{server.Name} sends {promised} bytes of '{server.Path}', but it has {size}");
        }

        _target.Remember(info with { Size = size });
        SetSize(size);
    }

    // Size and time, from the origin where it is known: a cache's time is that of its own file, and changes while it fills
    // (5.8). Where no origin is known it is left out of account.
    private async Task<ObjectInfo?> FactsAsync(ObjectServer server, CancellationToken cancellationToken) =>
        _origin is not null && await TryStatAsync(_origin, cancellationToken) is { } original
            ? original
            : await server.StatAsync(cancellationToken) is { } info ? info with { Modified = null, ETag = null } : null;

    private async Task RestAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        while (_target.Length < _size!.Value)
        {
            long first = _target.Length;
            long last = Math.Min(first + RangeBytes, _size.Value) - 1;
            using HttpResponseMessage response = await server.GetAsync((first, last), cancellationToken);
            switch (response.StatusCode)
            {
                case HttpStatusCode.PartialContent:
                    CheckRange(server, response, first, last);
                    bool confirmed = await _copier.CopyAsync(response, server.Name, last - first + 1, _ => Task.CompletedTask, cancellationToken);
                    _mustBeVerified |= !confirmed;
                    break;
                case HttpStatusCode.OK:
                    StartOver();
                    await CopyWholeAsync(server, response, cancellationToken);
                    return;
                case HttpStatusCode.RequestedRangeNotSatisfiable:
                    StartOver();
                    throw new PelicanException(Errors.ObjectChanged, $"'{server.Path}' became shorter at {server.Name} while it was downloaded");
                default:
                    throw await server.RefusalAsync(response, cancellationToken);
            }
        }
    }

    private void CheckRange(ObjectServer server, HttpResponseMessage response, long first, long last)
    {
        System.Net.Http.Headers.ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        bool asAsked = range is { Unit: "bytes" } && range.From == first && range.To == last && (range.Length is null || range.Length == _size);
        bool asLong = response.Content.Headers.ContentLength is null || response.Content.Headers.ContentLength == last - first + 1;
        if (!asAsked || !asLong)
        {
            throw new PelicanException(Errors.Protocol,
                $"{server.Name} was asked for bytes {first}-{last} of '{server.Path}' and answered with '{range}', {response.Content.Headers.ContentLength} bytes");
        }
    }

    private async Task VerifyAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        // What does not agree, or is not there, is asked for once more, as if it had not been.
        if (_sentAlong is { } along && along.Size == _target.Length
            && DigestJudge.Judge(along, algorithm => Compute(algorithm, cancellationToken), _options.Algorithm)
                is { Verification: Verification.Verified } verified)
        {
            _verdict = verified;
            return;
        }

        (long? told, DigestVerdict verdict) = await DigestJudge.AskAsync(
            server, _target.Length, algorithm => Compute(algorithm, cancellationToken), _options.Algorithm, cancellationToken);
        if (verdict.Verification == Verification.Unverified)
        {
            verdict = await AskWitnessesAsync(server, verdict, cancellationToken);
        }

        if (verdict.Verification != Verification.Verified || told is null)
        {
            // Nothing but PROPFIND tells a collection from an object, and a size from no size. That no size was told looks like
            // none in a listing.
            ObjectInfo? listed = Listed is { Info.Size: > 0 and var expected } && expected == _target.Length ? Listed.Value.Info : null;
            ObjectInfo? info = listed ?? await TryStatAsync(server, cancellationToken);
            if (info is { IsCollection: true })
            {
                throw IsCollection(server);
            }

            told = info?.Size ?? told;
        }

        long have = _target.Length;
        if (told is { } size && size != have)
        {
            throw Reject(Errors.Transfer, $"{server.Name} sent {have} bytes of '{server.Path}', which has {size}");
        }

        if (verdict.Verification is null)
        {
            // A part that was continued may mix two versions of the object: that is not this server's fault.
            throw Reject(_continued ? Errors.ObjectChanged : Errors.ChecksumMismatch,
                $"what came from {server.Name} is not '{server.Path}': {verdict.Why}");
        }

        if (verdict.Verification == Verification.Unverified && (_mustBeVerified || (told is null && have == 0)))
        {
            throw Reject(Errors.Transfer, $"{server.Name} did not confirm that it sent all of '{server.Path}', and has no digest of it");
        }

        if (verdict.Verification == Verification.Unverified && (_options.RequireChecksum || _options.Algorithm is not null))
        {
            throw new PelicanException(Errors.ChecksumMissing, $"'{server.Path}' cannot be verified, and you require it: {verdict.Why}",
                "Leave out --require-checksum to accept an object whose size alone was checked.");
        }

        _verdict = verdict;
    }

    // The caches of 5.5 cannot tell the digest of what takes a token; the origin can.
    private async Task<DigestVerdict> AskWitnessesAsync(ObjectServer server, DigestVerdict verdict, CancellationToken cancellationToken)
    {
        foreach (ObjectServer witness in _witnesses.Where(w => w.Url != server.Url).DistinctBy(w => w.Url))
        {
            try
            {
                DigestVerdict other = (await DigestJudge.AskAsync(
                    witness, _target.Length, algorithm => Compute(algorithm, cancellationToken), _options.Algorithm, cancellationToken)).Verdict;
                if (other.Verification != Verification.Unverified)
                {
                    return other;
                }
            }
            catch (PelicanException)
            {
                // It knows nothing of it.
            }
        }

        return verdict;
    }

    private byte[]? Compute(ChecksumAlgorithm algorithm, CancellationToken cancellationToken)
    {
        if (algorithm == ChecksumAlgorithm.Crc32c)
        {
            return _digest.Value();
        }

        if (!_target.CanRewind)
        {
            return null;
        }

        using Checksum checksum = Checksum.Create(algorithm);
        _target.AppendTo(checksum, cancellationToken);
        return checksum.Value();
    }

    private static async Task<ObjectInfo?> TryStatAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        try
        {
            return await server.StatAsync(cancellationToken);
        }
        catch (PelicanException)
        {
            // It gives the object, but not its properties; then only the length of the answer tells the size.
            return null;
        }
    }

    // The bytes are wrong: they go, and another answer may come. What a stream has is gone: that ends everything.
    private PelicanException Reject(ErrorRow row, string message)
    {
        if (_target.CanRewind)
        {
            StartOver();
            return new PelicanException(row, message);
        }

        _final = true;
        return new PelicanException(row, message + "; the bytes have already been written out",
            "Discard what was received. A download into a file is checked before it appears.")
        {
            Retryable = false,
        };
    }

    private void StartOver()
    {
        _final = !_target.CanRewind && _target.Length > 0;
        _target.StartOver();
        _digest.Reset();
        _progress.SetBytes(0);
        _continued = false;
        ResumedFrom = 0;
    }

    private void SetSize(long size)
    {
        _size = size;
        _progress.SetTotal(size);
    }

    private static PelicanException IsCollection(ObjectServer server) => new(Errors.IsCollection, $"'{server.Path}' is a collection, not an object",
        "Download everything in it with -r, or name an object; 'pelican object ls' shows them.");

    /// <inheritdoc/>
    public void Dispose() => _digest.Dispose();

    private TransferResult Result(ObjectServer server, (string Source, string Destination) names) => new()
    {
        Source = names.Source,
        Destination = names.Destination,
        Size = _target.Length,
        ResumedFrom = ResumedFrom,
        Server = server.Name,
        Elapsed = _clock.GetElapsedTime(_started),
        Verification = _verdict!.Verification!.Value,
        Algorithm = _verdict.Algorithm,
        Checksum = _verdict.Checksum,
        UnverifiedReason = _verdict.Why,
        Attempts = _attempts,
    };
}
