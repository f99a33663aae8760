namespace Pelican.Transfer;

/// <summary>Whole trees.</summary>
internal sealed partial class FederationClient
{
    /// <summary>Downloads collections, with everything in them, into a local directory. An object downloads as a single one.</summary>
    /// <param name="sources">URLs. Several are laid over one another; what would get one name is a failure, and not moved.</param>
    /// <param name="destination">Absolute local path; made if it is not there. With several sources it must be, or become, a directory.</param>
    /// <param name="options">Token, caches, checks; the same for all objects.</param>
    /// <param name="listener">Is told of each object.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it; what was received of large objects stays for the next run.</param>
    /// <returns>The counts. What failed does not throw: it is in <see cref="TreeResult.Failure"/>.</returns>
    /// <exception cref="PelicanException">A URL is none.</exception>
    public Task<TreeResult> GetTreeAsync(
        IReadOnlyList<string> sources, string destination, TransferOptions options, TreeListener listener, TreeProgress progress,
        CancellationToken cancellationToken)
    {
        ObjectUrl[] urls = [.. sources.Select(source => ObjectUrl.Parse(source, _settings))];
        return new TreeDownload(this, urls, destination, options with { KeepEqual = true }, Run(listener, progress)).RunAsync(cancellationToken);
    }

    /// <summary>Downloads one object of a tree, to exactly where it belongs.</summary>
    /// <param name="item">The object; the directory it goes to is there.</param>
    /// <param name="listed">What the listing said of it, and which server made the listing.</param>
    /// <param name="options">Token, caches, checks.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async Task<TransferResult> GetListedAsync(
        TreeItem item, (ObjectInfo Info, string Server) listed, TransferOptions options, TransferProgress progress, CancellationToken cancellationToken)
    {
        using LocalDestination local = LocalDestination.Exactly(item.Destination);
        ObjectUrl url = Parse(item.Source);
        return options.DryRun
            ? await SameAsync(url, local.Path, listed, options, cancellationToken) ?? Planned(item.Source, local.Path, item.Size ?? 0)
            : await GetToFileAsync(url, local, listed, options, progress, cancellationToken);
    }

    // What is there already, if that is wanted and it is the same; null when the object must be downloaded.
    private async Task<TransferResult?> SameAsync(
        ObjectUrl url, string path, (ObjectInfo Info, string Server)? listed, TransferOptions options, CancellationToken cancellationToken)
    {
        if (!options.KeepEqual || LocalEntry.At(path) is not { Kind: LocalKind.File, Size: var size } || new FileInfo(path).LinkTarget is not null
            || (listed is { Info.Size: { } told } && told != size))
        {
            return null;
        }

        try
        {
            return await ReadAsync(url, options, TokenPurpose.Read, async resolution =>
            {
                // A cache may hold what the origin has no longer.
                ObjectServer server = resolution.Answer.CollectionsUrl is { } origin
                    ? _resolver.Server(Director.At(origin, url.Path), url.Path, resolution.Tokens)
                    : resolution.Servers[0];
                DigestVerdict verdict = await ContentProof.CompareAsync(server, size, path, options.Algorithm, cancellationToken);
                return verdict.Verification == Verification.Verified ? WasThere((url.Shown, path), size, server, verdict) : null;
            }, cancellationToken);
        }
        catch (PelicanException)
        {
            // Not to be known: the download tells what is wrong.
            return null;
        }
    }

    /// <summary>Uploads directories, with everything in them, into a collection. A file uploads as a single one.</summary>
    /// <param name="sources">Absolute local paths. Several are laid over one another; what would get one name is a failure, and not moved.</param>
    /// <param name="destination">URL of the collection.</param>
    /// <param name="options">Token, overwriting, checks; the same for all objects.</param>
    /// <param name="listener">Is told of each object.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it; the incomplete objects are removed.</param>
    /// <returns>The counts. What failed does not throw: it is in <see cref="TreeResult.Failure"/>.</returns>
    /// <exception cref="PelicanException">The URL is none.</exception>
    public Task<TreeResult> PutTreeAsync(
        IReadOnlyList<string> sources, string destination, TransferOptions options, TreeListener listener, TreeProgress progress,
        CancellationToken cancellationToken) =>
        new TreeUpload(this, sources, ObjectUrl.Parse(destination, _settings), options with { KeepEqual = true }, Run(listener, progress)).RunAsync(cancellationToken);

    /// <summary>What is in a collection at the origin that an upload goes to.</summary>
    /// <returns>
    /// The origin that tells it, null when it cannot be known; whether it replaces what comes meanwhile; and what is there, null when there
    /// is no such collection.
    /// </returns>
    internal async Task<(string? Server, bool Replaces, IReadOnlyList<ObjectInfo>? There)> ListForUploadAsync(
        ObjectUrl url, TransferOptions options, CancellationToken cancellationToken)
    {
        ObjectServer server = (await ResolveForUploadAsync(url, options, cancellationToken)).Servers[0];
        try
        {
            IReadOnlyList<ObjectInfo> there = await server.ListAsync(cancellationToken);
            return (server.Name, server.KeepsWhatIsFull, there);
        }
        catch (PelicanException e) when (e.Row == Errors.NotFound)
        {
            return (server.Name, false, null);
        }
        catch (PelicanException e) when (e.Row == Errors.NotSupported || e.Row == Errors.Authorization)
        {
            return (null, false, null);
        }
    }

    /// <summary>Makes a collection at the origin.</summary>
    internal async Task MakeCollectionAsync(ObjectUrl url, TransferOptions options, CancellationToken cancellationToken) =>
        await (await ResolveForUploadAsync(url, options, cancellationToken)).Servers[0].MakeCollectionAsync(cancellationToken);

    /// <summary>Uploads one file of a tree.</summary>
    /// <param name="item">The file.</param>
    /// <param name="existing">The origin of which it is known what is there, and that; null for nothing.</param>
    /// <param name="options">Token, overwriting, checks.</param>
    /// <param name="begins">Called with true when nothing is in the way and bytes are about to move, with false when it was stopped and has left nothing.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async Task<TransferResult> PutListedAsync(
        TreeItem item, (string? Server, ObjectInfo? Info) existing, TransferOptions options, Action<bool> begins, TransferProgress progress,
        CancellationToken cancellationToken)
    {
        UploadSource.Open(item.Source).Dispose();
        ObjectUrl url = Parse(item.Destination);
        IReadOnlyList<ObjectServer> servers = (await ResolveForUploadAsync(url, options, cancellationToken)).Servers;
        UploadPlaces places = await LookAsync(servers, (servers[0].Name == existing.Server, existing.Info), options, cancellationToken);
        return await SendAsync(item.Source, url, places, options, begins, progress, cancellationToken);
    }

    /// <summary>Removes a collection with everything in it, or an object.</summary>
    /// <param name="url">Its URL.</param>
    /// <param name="options">Token.</param>
    /// <param name="ended">Told of each object and collection that is gone, or why it is not; called by several threads at once.</param>
    /// <param name="progress">Counters to keep up to date.</param>
    /// <param name="cancellationToken">Stops it; what is gone is gone.</param>
    /// <returns>The counts. What failed does not throw: it is in <see cref="TreeResult.Failure"/>.</returns>
    /// <exception cref="PelicanException">The URL is none, nobody takes deletions there, or it is the root of a namespace.</exception>
    public Task<TreeResult> DeleteTreeAsync(
        string url, TransferOptions options, Action<TreeItem, PelicanException?> ended, TreeProgress progress, CancellationToken cancellationToken) =>
        new TreeDeletion(this, ObjectUrl.Parse(url, _settings), options, ended, Run(new TreeListener(), progress)).RunAsync(cancellationToken);

    // What is there, null when it has gone since it was listed, and whether it is the same as a file.
    private static async Task<(ObjectInfo?, DigestVerdict?)> CompareAsync(
        string source, ObjectInfo existing, ObjectServer server, TransferOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return (existing, await ContentProof.CompareAsync(server, existing.Size, source, options.Algorithm, cancellationToken));
        }
        catch (PelicanException e) when (e.Row == Errors.NotFound)
        {
            return (null, null);
        }
    }

    private static TransferResult WasThere((string Source, string Destination) names, long size, ObjectServer server, DigestVerdict verdict) => new()
    {
        Source = names.Source,
        Destination = names.Destination,
        Size = size,
        ResumedFrom = size,
        WasThere = true,
        Server = server.Name,
        Elapsed = TimeSpan.Zero,
        Verification = Verification.Verified,
        Algorithm = verdict.Algorithm,
        Checksum = verdict.Checksum,
    };

    private TreeRun Run(TreeListener listener, TreeProgress progress) => new(_settings, _clock, _http.Retries, listener, progress);
}
