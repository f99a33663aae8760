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
        return new TreeDownload(this, urls, destination, options, Run(listener, progress)).RunAsync(cancellationToken);
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
        return options.DryRun
            ? Planned(item.Source, local.Path, item.Size)
            : await GetToFileAsync(Parse(item.Source), local, listed, options, progress, cancellationToken);
    }

    private TreeRun Run(TreeListener listener, TreeProgress progress) => new(_settings, _clock, _random, listener, progress);
}
