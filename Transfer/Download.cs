using System.Net;

namespace Pelican.Transfer;

/// <summary>
/// One object from its servers into a target: each server in turn, from the byte reached, until the bytes are all there and
/// verified.
/// </summary>
/// <remarks>
/// 1. The whole object is asked for without a range; a part that an earlier attempt left is continued by ranges with both
///    ends (xrootd.md 3.7), as <see cref="DownloadSource"/> allows.
/// 2. The body goes to the target and through CRC-32C; its end is judged by length and trailer (<see cref="BodyCopier"/>).
/// 3. <see cref="DownloadProof"/> asks for size and digest: verified, unverified, or wrong, and then the bytes go. What proves
///    them wrong is the only thing that does away with them.
/// 4. What failed for good at one server is left out of the next round; rounds without progress are few.
/// </remarks>
internal sealed class Download : IDisposable
{
    private const long RangeBytes = 1024L * 1024 * 1024;
    private const int RoundsWithoutProgress = 3;

    /// <summary>What is asked for again of bytes that are all there, when their end was told to be bad and nobody has a digest.</summary>
    private const int TailBytes = 64 * 1024;

    private readonly DownloadTarget _target;
    private readonly TransferOptions _options;
    private readonly TransferProgress _progress;
    private readonly ClientSettings _settings;
    private readonly TimeProvider _clock;
    private readonly Retries _retries;
    private readonly BodyCopier _copier;
    private readonly DownloadSource _source;
    private readonly DownloadProof _proof;
    private readonly Crc32cChecksum _digest = new();
    private readonly List<Attempt> _attempts = [];
    private readonly long _started;
    private List<ObjectServer> _left = [];
    private DigestVerdict? _verdict;
    private DigestAnswer? _sentAlong;
    private BodyEnd _end;
    private bool _mixed;
    private bool _final;
    private long _reached;

    public Download(DownloadTarget target, TransferOptions options, TransferProgress progress, (ObjectInfo, string)? listed,
        ClientSettings settings, TimeProvider clock, Retries retries)
    {
        _target = target;
        _options = options;
        _progress = progress;
        _settings = settings;
        _clock = clock;
        _retries = retries;
        _started = clock.GetTimestamp();
        _copier = new BodyCopier(target, _digest, progress, settings, clock);
        _source = new DownloadSource(target, progress) { Listed = listed };
        _proof = new DownloadProof(target, _digest, _source, options);
    }

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
        _left = [.. servers];
        _proof.Witnesses = [.. servers, .. witnesses];
        _source.Origin = witnesses.Count > 0 ? witnesses[0] : null;
        Dictionary<ObjectServer, PelicanException> failures = [];
        if (_attempts.Count == 0 && _target.Length > 0)
        {
            _target.AppendTo(_digest, cancellationToken);
            ResumedFrom = _reached = _target.Length;
        }

        for (int idle = 0, round = 1; ; round++)
        {
            if (await RoundAsync(failures, cancellationToken) is { } server)
            {
                return Result(server, names);
            }

            idle = _target.Length > _reached ? 0 : idle + 1;
            _reached = Math.Max(_reached, _target.Length);
            if (_left.Count == 0 || idle >= RoundsWithoutProgress)
            {
                throw AttemptFailures.Combine($"could not download '{servers[0].Path}'", [.. failures.Values], _attempts);
            }

            if (_left.Any(s => failures.GetValueOrDefault(s)?.Row == Errors.ObjectChanged) && idle > 0 && _target.Length > 0)
            {
                // What no server continues begins again.
                Discard();
            }

            PelicanException? slowest = _left.Select(server => failures.GetValueOrDefault(server)).MaxBy(failure => failure?.RetryAfter);
            await _retries.WaitAsync(round, slowest, cancellationToken);
        }
    }

    // The server that finished it; null when none did.
    private async Task<ObjectServer?> RoundAsync(Dictionary<ObjectServer, PelicanException> failures, CancellationToken cancellationToken)
    {
        foreach (ObjectServer server in _left.ToArray())
        {
            _mixed = false;
            if (await TryAsync(server, cancellationToken) is not { } failure)
            {
                return server;
            }

            failures[server] = failure;
            if (_final || (failure is { Retryable: false } && failure.Row == Errors.TokenExpired))
            {
                throw failure;
            }

            if (!failure.Retryable || failure.Row == Errors.ChecksumMismatch)
            {
                _left.Remove(server);
            }

            if (_mixed)
            {
                break;
            }
        }

        return null;
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
            _target.Release();
        }
        catch (PelicanException e) when (IsOurs(e) || e.Row == Errors.IsCollection)
        {
            throw;
        }
        catch (PelicanException e)
        {
            failure = e;
        }

        long moved = Math.Max(0, _target.Length - before);
        _attempts.Add(new Attempt(server.Name, moved, _clock.GetElapsedTime(started), failure?.Message, failure?.Row)
        {
            CacheAge = (int?)_source.Age?.TotalSeconds,
        });
        return failure;
    }

    private async Task AttemptAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        (_sentAlong, _end) = (null, BodyEnd.Confirmed);
        if (_target.Length > 0 && !await _source.MayGoOnAsync(server, cancellationToken))
        {
            Discard();
        }

        try
        {
            await (_target.Length == 0 ? WholeAsync(server, cancellationToken) : RestAsync(server, cancellationToken));
        }
        catch (PelicanException e) when (!IsOurs(e) && e.Row != Errors.IsCollection && _target.Length > 0 && (_source.Size ?? _target.Length) == _target.Length)
        {
            // All may be there whatever the end was said to be: a cache tells of itself there, too (pelican-servers.md 11.4).
            _verdict = await _proof.IsWholeAsync(server, cancellationToken);
            if (_verdict is null)
            {
                DropTail(cancellationToken);
                throw;
            }

            _target.Seal(_digest.Value());
            return;
        }

        DownloadFinding finding = await _proof.JudgeAsync(server, _sentAlong, _end, cancellationToken);
        _verdict = finding.Verdict ?? throw Reject(server, finding);
        _target.Seal(_digest.Value());
    }

    private async Task WholeAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        (HttpResponseMessage answer, _sentAlong) = await server.GetWholeAsync(
            _source.Listed?.Info.Size, DigestJudge.Wanted(_options.Algorithm), cancellationToken);
        using HttpResponseMessage response = answer;
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw response.StatusCode == HttpStatusCode.PartialContent
                ? new PelicanException(Errors.Protocol, $"{server.Name} sent a part of '{server.Path}' when asked for all of it")
                : await RefusalAsync(server, response, cancellationToken);
        }

        await CopyWholeAsync(server, response, cancellationToken);
        server.Sent(_target.Length);
    }

    private async Task CopyWholeAsync(ObjectServer server, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        _source.Begin(server, response);
        // Only a body that proves large is worth the question what it is, which a later attempt needs to continue it.
        using var asking = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task? question = null;
        bool failed = true;
        try
        {
            _end = await _copier.CopyAsync(response, server.Name, ObjectLength.Of(response), bytes =>
            {
                if (bytes < PartFile.WorthKeeping)
                {
                    return Task.CompletedTask;
                }

                // Not on the thread of the copy, which waits for its own connection only.
                question ??= Task.Run(() => _source.LearnAsync(server, asking.Token), CancellationToken.None);
                return question.IsFaulted ? question : _target.IsHeld ? ReleaseAsync(server, response, question) : Task.CompletedTask;
            }, cancellationToken);
            failed = false;
        }
        finally
        {
            // Of what was cut it must be known what it is, to go on with it.
            if (question is not null)
            {
                await (failed && !cancellationToken.IsCancellationRequested ? Task.CompletedTask : asking.CancelAsync());
                await question.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // Nothing goes out before it is known to be an object's.
    private async Task ReleaseAsync(ObjectServer server, HttpResponseMessage response, Task question)
    {
        await question;
        if (_target.State is null && response.Content.Headers.ContentType?.MediaType == "text/html")
        {
            throw new PelicanException(Errors.Transfer, $"{server.Name} sends a page for '{server.Path}', and does not say whether that is a collection");
        }

        _target.Release();
    }

    private async Task RestAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        while (_target.Length < _source.Size!.Value)
        {
            long first = _target.Length;
            long last = Math.Min(first + RangeBytes, _source.Size.Value) - 1;
            using HttpResponseMessage response = await server.GetAsync((first, last), cancellationToken);
            switch (response.StatusCode)
            {
                case HttpStatusCode.PartialContent:
                    long length = _source.Continue(server, response, first, last);
                    await _copier.CopyAsync(response, server.Name, length, _ => Task.CompletedTask, cancellationToken);
                    break;
                case HttpStatusCode.OK:
                    Discard();
                    await CopyWholeAsync(server, response, cancellationToken);
                    return;
                case HttpStatusCode.RequestedRangeNotSatisfiable:
                    throw new PelicanException(Errors.ObjectChanged, $"{server.Name} has no byte {first} of '{server.Path}', or will not send it");
                default:
                    throw await RefusalAsync(server, response, cancellationToken);
            }
        }
    }

    // Pelican's own servers refuse a collection as they refuse a method, others as a conflict.
    private async Task<PelicanException> RefusalAsync(ObjectServer server, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        PelicanException refusal = await server.RefusalAsync(response, cancellationToken);
        if (response.StatusCode is HttpStatusCode.MethodNotAllowed or HttpStatusCode.Conflict)
        {
            foreach (ObjectServer asked in _source.Origin is { } origin && origin.Url != server.Url ? [server, origin] : new[] { server })
            {
                if (await DownloadSource.TryStatAsync(asked, cancellationToken) is { } info)
                {
                    return info.IsCollection ? Faults.IsCollection(server.Path) : refusal;
                }
            }
        }

        return refusal;
    }

    // The bytes are wrong: they go, and another answer may come. What a stream has is gone: that ends everything.
    private PelicanException Reject(ObjectServer server, DownloadFinding finding)
    {
        if (!_target.CanRewind)
        {
            _final = true;
            return new PelicanException(finding.Row!, finding.Message + "; the bytes have already been written out",
                "Discard what was received. A download into a file is checked before it appears.")
            {
                Retryable = false,
            };
        }

        if (finding.IsShort)
        {
            return new PelicanException(finding.Row!, finding.Message!);
        }

        if (finding.Row == Errors.ObjectChanged)
        {
            Prefer(finding.Teller ?? server);
        }

        Discard();
        return new PelicanException(finding.Row!, finding.Message!);
    }

    // After a mixture the whole comes from the server that knows what is right, and last from those that had a share in it.
    private void Prefer(ObjectServer server)
    {
        _mixed = true;
        ObjectServer? first = _left.Find(s => s.Url == server.Url) ?? (_options.Caches is null ? server : null);
        _left = [.. _left.Where(s => s != first).OrderBy(_source.IsSender)];
        if (first is not null)
        {
            _left.Insert(0, first);
        }
    }

    // The end is asked for again, and its end told again.
    private void DropTail(CancellationToken cancellationToken)
    {
        if (_target is { CanRewind: true, State: { } part } && part.Size == _target.Length)
        {
            _target.Truncate(Math.Max(1, _target.Length - TailBytes));
            _digest.Reset();
            _target.AppendTo(_digest, cancellationToken);
        }
    }

    private void Discard()
    {
        _final = !_target.CanRewind && _target.Length > 0;
        _target.StartOver();
        _digest.Reset();
        _progress.SetBytes(0);
        _source.Forget();
        // What an earlier run had is no measure for this one.
        _reached = ResumedFrom > 0 ? 0 : _reached;
        ResumedFrom = 0;
    }

    private static bool IsOurs(PelicanException e) => e.Row.Name.StartsWith("Local", StringComparison.Ordinal);

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
        Age = _source.Age,
        DiffersFromOrigin = _source.DiffersFromOrigin,
        Attempts = _attempts,
    };
}
