namespace Pelican.Transfer;

/// <summary>Collections to a local directory: what is in them lands there flat, without a level for their own names.</summary>
/// <param name="client">The federation.</param>
/// <param name="sources">URLs of collections or objects.</param>
/// <param name="destination">Absolute local path; a single object goes there as in a single download.</param>
/// <param name="options">Token, caches, checks.</param>
/// <param name="run">What goes with it.</param>
internal sealed class TreeDownload(FederationClient client, IReadOnlyList<ObjectUrl> sources, string destination, TransferOptions options, TreeRun run)
    : TreeTransfer<string>(sources.Count, run)
{
    /// <summary>Swallows everything.</summary>
    private const string Nowhere = "/dev/null";

    /// <inheritdoc/>
    protected override async Task<IReadOnlyList<Entry>> ListAsync(int source, string path, CancellationToken cancellationToken)
    {
        (IReadOnlyList<ObjectInfo> entries, string server) = await client.ListAsync(sources[source].Below(path), options, cancellationToken);
        return [.. entries.Select(info => new Entry(source, info, server))];
    }

    /// <inheritdoc/>
    protected override bool IsObject(int source, IReadOnlyList<Entry> listing) =>
        listing is [{ Info.IsCollection: false } only] && only.Info.Path == sources[source].Path.Decoded;

    /// <inheritdoc/>
    protected override Task<string> EnterAsync(string path, string? parent, bool isEmpty, CancellationToken cancellationToken)
    {
        if (destination == Nowhere)
        {
            return Task.FromResult(Nowhere);
        }

        string directory = parent is null ? destination : $"{parent.TrimEnd('/')}/{path[(path.LastIndexOf('/') + 1)..]}";
        try
        {
            // The destination may be a link: the user named it. One below it could lead anywhere, or to a directory that is
            // another collection's, whose objects it would then replace.
            if (parent is not null && new DirectoryInfo(directory).LinkTarget is { } target)
            {
                throw new PelicanException(Errors.Local, $"'{directory}' is a link to '{target}': a download does not follow links below its destination",
                    "Remove the link, or download this collection by itself to where the link leads.");
            }

            if (File.Exists(directory))
            {
                throw new PelicanException(Errors.Local, $"cannot create the directory '{directory}': it is a file", "Remove it, or choose another destination.");
            }

            if (!options.DryRun)
            {
                Directory.CreateDirectory(directory, LocalDestination.DirectoryMode(options.FileMode));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, directory, "create");
        }

        return Task.FromResult(directory);
    }

    /// <inheritdoc/>
    protected override IReadOnlyDictionary<string, string> Clashes(string place, IReadOnlyCollection<string> names) =>
        options.DryRun || place == Nowhere ? base.Clashes(place, names) : NameClash.Find(place, names);

    /// <inheritdoc/>
    protected override TreeItem ItemOf(string path, Entry entry, string? place)
    {
        string local = place is null || place == Nowhere ? destination : $"{place.TrimEnd('/')}/{entry.Info.Name}";
        // A source that is an object among others is found under its own name, not below itself.
        ObjectUrl top = sources[entry.Source];
        ObjectUrl url = path.Length == 0 || entry.Info.Path == top.Path.Decoded ? top.Below("") : top.Below(path);
        return new TreeItem(path, url.Text, local, entry.Info.Size, entry.Info.Modified);
    }

    /// <inheritdoc/>
    protected override TreeItem CollectionOf(string path, int source) => new(
        path, sources[source].Below(path).Text, path.Length == 0 ? destination : $"{destination.TrimEnd('/')}/{path}", 0, null);

    /// <inheritdoc/>
    protected override async Task<TransferResult> MoveAsync(Work work, TransferProgress transfer, CancellationToken cancellationToken)
    {
        Begin(work, transfer);
        TreeItem item = work.Item;
        return work.Place is null || work.Place == Nowhere
            ? await client.GetAsync(item.Source, item.Destination, options, transfer, cancellationToken)
            : await client.GetListedAsync(item, (work.Entry.Info, work.Entry.Server), options, transfer, cancellationToken);
    }
}
