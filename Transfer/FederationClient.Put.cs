namespace Pelican.Transfer;

/// <summary>Where an upload may go.</summary>
/// <param name="Servers">The object at the origins that answer, best first; only the one that has it, if one has.</param>
/// <param name="Existing">What is there; null for nothing, or nothing that we may see.</param>
/// <param name="IsKnown">Whether all of them could be looked at.</param>
internal sealed record UploadPlaces(IReadOnlyList<ObjectServer> Servers, ObjectInfo? Existing, bool IsKnown);

/// <summary>Uploads of one object.</summary>
internal sealed partial class FederationClient
{
    private const int LooksAtLeft = 10;

    private static readonly TimeSpan AfterStop = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1.1);

    /// <summary>Uploads one file.</summary>
    /// <param name="source">Absolute local path.</param>
    /// <param name="destination">URL of the object, or of the collection that receives it under the file's own name.</param>
    /// <param name="intoCollection">Take the destination for a collection without asking: there are several sources.</param>
    /// <param name="options">Token, overwriting, checks.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it; the part that reached the server is removed.</param>
    public Task<TransferResult> PutAsync(
        string source, string destination, bool intoCollection, TransferOptions options, TransferProgress progress,
        CancellationToken cancellationToken) =>
        PutAsync(source, Parse(destination), intoCollection, options, _ => { }, progress, cancellationToken);

    /// <summary>
    /// The same; <paramref name="begins"/> is called with true when nothing is in the way and bytes are about to move, and with false
    /// when it was stopped and has left nothing.
    /// </summary>
    internal async Task<TransferResult> PutAsync(
        string source, ObjectUrl url, bool intoCollection, TransferOptions options, Action<bool> begins, TransferProgress progress,
        CancellationToken cancellationToken)
    {
        UploadSource.Open(source).Dispose();
        string name = Path.GetFileName(source);
        if (intoCollection || url.EndsWithSlash)
        {
            url = url with { Path = url.Path.Append(name), EndsWithSlash = false };
        }

        Resolution resolution = await ResolveForUploadAsync(url, options, cancellationToken);
        UploadPlaces places = await LookAsync(resolution.Servers, null, options, cancellationToken);
        if (places.Existing is { IsCollection: true })
        {
            url = url with { Path = url.Path.Append(name) };
            ObjectServer[] below = [.. resolution.Servers.Select(server => _resolver.Server(Director.At(WithoutPath(server), url.Path), url.Path, resolution.Tokens))];
            places = await LookAsync(below, null, options, cancellationToken);
        }

        return await SendAsync(source, url, places, options, begins, progress, cancellationToken);
    }

    private async Task<TransferResult> SendAsync(
        string source, ObjectUrl url, UploadPlaces places, TransferOptions options, Action<bool> begins,
        TransferProgress progress, CancellationToken cancellationToken)
    {
        (IReadOnlyList<ObjectServer> servers, ObjectInfo? existing, bool isKnown) = places;
        if (existing is { IsCollection: true })
        {
            throw new PelicanException(Errors.IsCollection, $"'{url.Path}' is a collection", "Name the object to create in it.");
        }

        if (options.WasBegun && existing is not null)
        {
            existing = await RestingAsync(servers[0], existing, cancellationToken);
        }

        string names = $"pelican://{url.Federation.Authority}{url.Path.Encoded}";
        DigestVerdict? compared = null;
        if ((options.KeepEqual || options.WasBegun) && existing is { } found)
        {
            (existing, compared) = await CompareAsync(source, found, servers[0], options, cancellationToken);
            if (compared?.Verification == Verification.Verified)
            {
                return WasThere((source, names), new FileInfo(source).Length, servers[0], compared);
            }
        }

        // What the earlier run has left may be replaced. It is never removed: nobody has seen that nothing was there.
        bool isLeft = options.WasBegun && !MayReplace(options) && existing is not null
            && await ContentProof.IsBeginningAsync(servers[0], existing.Size, source, cancellationToken);
        if (existing is not null && !isLeft && !MayReplace(options))
        {
            string differs = compared is null ? "" : $", {compared.Why}";
            throw new PelicanException(Errors.AlreadyExists, $"'{url.Path}' already exists at {servers[0].Name} ({(existing.Size is { } bytes ? $"{bytes} bytes" : "size unknown")}{differs}); nothing was sent",
                "Choose another name, or replace it with --overwrite.");
        }

        if (options.DryRun)
        {
            return Planned(source, names, new FileInfo(source).Length);
        }

        begins(true);
        Upload upload = new(options, progress, _settings, _clock, _http.Retries);
        try
        {
            // Where nobody could look, a replaced object may be there: then nothing is removed.
            ObjectInfo? there = existing ?? (isKnown || !MayReplace(options) ? null : new ObjectInfo(url.Path.Decoded, null, null, IsCollection: false));
            return await upload.RunAsync(source, servers, there, onlyNew: !MayReplace(options), isLeft, names, cancellationToken);
        }
        catch (OperationCanceledException) when (existing is null)
        {
            if (await IsNothingThereAsync(servers))
            {
                begins(false);
            }

            throw;
        }
    }

    // A server goes on writing what had reached it before the kill, and keeps a digest for as long as the object's time has the same second
    // (xrootd.md 5.6): it is asked for none before the object has rested for longer. Null when it has gone.
    private async Task<ObjectInfo?> RestingAsync(ObjectServer server, ObjectInfo found, CancellationToken cancellationToken)
    {
        ObjectInfo? before = null;
        ObjectInfo? now = found;
        for (int looks = 0; looks < LooksAtLeft && now is not null && (before is null || now.Size != before.Size || now.Modified != before.Modified); looks++)
        {
            before = now;
            await Task.Delay(Rest, _clock, cancellationToken);
            now = await server.StatAsync(cancellationToken);
        }

        return now;
    }

    // After a stop: so that what somebody else makes there later is not taken for what we have left.
    private async Task<bool> IsNothingThereAsync(IReadOnlyList<ObjectServer> servers)
    {
        using CancellationTokenSource limit = new(AfterStop, _clock);
        try
        {
            foreach (ObjectServer server in servers)
            {
                if (await server.StatAsync(limit.Token) is not null)
                {
                    return false;
                }
            }

            return true;
        }
        catch (Exception e) when (e is PelicanException or OperationCanceledException)
        {
            return false;
        }
    }

    private Task<Resolution> ResolveForUploadAsync(ObjectUrl url, TransferOptions options, CancellationToken cancellationToken) =>
        _resolver.ResolveAsync(new ResolutionRequest(HttpMethod.Put, url, options, [TokenPurpose.Read, TokenPurpose.Write]), cancellationToken);

    private bool MayReplace(TransferOptions options) => options.Overwrite || _settings.EnableOverwrites;

    /// <summary>
    /// Looks at each origin, since nothing joins them: what is at any of them is there. Where the token may not look, only a server that
    /// keeps what is there by itself may be written to. Origins that do not answer are left out; the others decide.
    /// </summary>
    /// <param name="servers">The object at its origins, best first.</param>
    /// <param name="first">What is known of the first one; null for nothing.</param>
    /// <param name="options">Overwriting.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task<UploadPlaces> LookAsync(
        IReadOnlyList<ObjectServer> servers, (bool Known, ObjectInfo? Info)? first, TransferOptions options, CancellationToken cancellationToken)
    {
        List<ObjectServer> usable = [];
        bool known = true;
        PelicanException? silent = null;
        foreach (ObjectServer server in servers)
        {
            try
            {
                ObjectInfo? info = usable.Count == 0 && silent is null && first is { Known: true } told ? told.Info : await server.StatAsync(cancellationToken);
                if (info is not null)
                {
                    return new UploadPlaces([server], info, true);
                }
            }
            catch (PelicanException e) when (e.Row == Errors.Authorization && (MayReplace(options) || server.KeepsWhatIsThere))
            {
                known = false;
            }
            catch (PelicanException e) when (servers.Count > 1 && (e.Row == Errors.ConnectionSetup || e.Row == Errors.HeaderTimeout))
            {
                silent = e;
                continue;
            }

            usable.Add(server);
        }

        return usable.Count > 0 ? new UploadPlaces(usable, null, known) : throw silent!;
    }

    private static Uri WithoutPath(ObjectServer server) => Director.BaseOf(server.Url, server.Path)
        ?? throw new PelicanException(Errors.Protocol, $"the director's answer for '{server.Path}' is the URL of something else: {server.Url}");
}
