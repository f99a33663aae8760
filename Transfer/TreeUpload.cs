namespace Pelican.Transfer;

/// <summary>A collection at the origin that receives objects.</summary>
/// <param name="Url">Its URL.</param>
/// <param name="Existing">What was in it, by name; null when that cannot be known, and each object must be asked for.</param>
/// <param name="Asked">Timestamp of that knowledge.</param>
/// <param name="Server">The origin that it is of.</param>
/// <param name="LooksAgain">Whether somebody else may put something there that the origin would replace: XRootD heeds no condition. What this run has made is taken for its own.</param>
internal sealed record UploadPlace(ObjectUrl Url, IReadOnlyDictionary<string, ObjectInfo>? Existing, long Asked, string? Server, bool LooksAgain = false);

/// <summary>
/// Local directories to a collection: what is in them lands there flat. Links to files are followed. Links to directories are
/// not, since they may loop or lead anywhere; these, and what is no file, are left out and said.
/// </summary>
/// <param name="client">The federation.</param>
/// <param name="sources">Absolute local paths of directories or files.</param>
/// <param name="destination">URL of the collection; a single file goes there as in a single upload.</param>
/// <param name="options">Token, overwriting, checks.</param>
/// <param name="run">What goes with it.</param>
internal sealed class TreeUpload(FederationClient client, IReadOnlyList<string> sources, ObjectUrl destination, TransferOptions options, TreeRun run)
    : TreeTransfer<UploadPlace>(sources.Count, run)
{
    /// <summary>How long a listing of the destination stands for a question about one object in it.</summary>
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(10);

    private static readonly IReadOnlyDictionary<string, ObjectInfo> Nothing = new Dictionary<string, ObjectInfo>();

    /// <inheritdoc/>
    protected override Task<IReadOnlyList<Entry>> ListAsync(int source, string path, CancellationToken cancellationToken)
    {
        string directory = LocalPath(source, path);
        if (path.Length == 0 && LocalEntry.At(directory) is { Kind: not LocalKind.Directory } file)
        {
            return Task.FromResult<IReadOnlyList<Entry>>([new Entry(source, InfoOf(directory, file), "")]);
        }

        List<Entry> entries = [];
        try
        {
            foreach (FileSystemInfo found in new DirectoryInfo(directory).EnumerateFileSystemInfos())
            {
                cancellationToken.ThrowIfCancellationRequested();
                string at = $"{directory}/{found.Name}";
                LocalEntry entry = LocalEntry.At(at);
                bool isLink = (found.Attributes & FileAttributes.ReparsePoint) != 0;
                string? why = entry.Kind switch
                {
                    LocalKind.Directory when isLink => "is a link to a directory",
                    LocalKind.Special => "is a pipe, a socket or a device",
                    not LocalKind.Directory when PartClaim.IsPart(found.Name) => "is an incomplete download",
                    _ => null,
                };
                if (why is null)
                {
                    entries.Add(new Entry(source, InfoOf(at, entry), ""));
                }
                else
                {
                    LeaveOut($"'{at}' {why}: it is left out");
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, directory, "read");
        }

        return Task.FromResult<IReadOnlyList<Entry>>(entries);
    }

    /// <inheritdoc/>
    protected override bool IsObject(int source, IReadOnlyList<Entry> listing) =>
        listing is [{ Info.IsCollection: false } only] && only.Info.Path == LocalPath(source, "");

    /// <inheritdoc/>
    protected override async Task<UploadPlace> EnterAsync(string path, UploadPlace? parent, bool isEmpty, CancellationToken cancellationToken)
    {
        string name = path[(path.LastIndexOf('/') + 1)..];
        ObjectUrl url = parent is null ? destination.Below("") : parent.Url.Below(name);
        if (parent is not null && IsFresh(parent) && !parent.Existing!.ContainsKey(name))
        {
            // It was not there a moment ago, so nothing is in it.
            await MakeAsync(url, path, isEmpty, cancellationToken);
            return new UploadPlace(url, Nothing, parent.Asked, parent.Server);
        }

        long now = Run.Clock.GetTimestamp();
        (string? server, bool replaces, IReadOnlyList<ObjectInfo>? there) =
            await Run.RetryingAsync(() => client.ListForUploadAsync(url, options, cancellationToken), cancellationToken);
        if (there is [{ IsCollection: false } only] && only.Path == url.Path.Decoded)
        {
            throw new PelicanException(Errors.AlreadyExists, $"'{url.Path}' is an object: a directory cannot be uploaded to it", "Choose another destination.");
        }

        if (there is null && (server is not null || isEmpty))
        {
            await MakeAsync(url, path, isEmpty, cancellationToken);
        }

        return new UploadPlace(url, server is null ? null : there?.DistinctBy(info => info.Name).ToDictionary(info => info.Name) ?? Nothing, now, server, replaces);
    }

    /// <inheritdoc/>
    protected override TreeItem ItemOf(string path, Entry entry, UploadPlace? place) => new(
        path, entry.Info.Path, place is null ? destination.Below("").Text : place.Url.Below(entry.Info.Name).Text, entry.Info.Size, entry.Info.Modified);

    /// <inheritdoc/>
    protected override TreeItem CollectionOf(string path, int source) => new(path, LocalPath(source, path), destination.Below(path).Text, 0, null);

    /// <inheritdoc/>
    protected override async Task<TransferResult> MoveAsync(Work work, TransferProgress transfer, CancellationToken cancellationToken)
    {
        bool left = false;
        try
        {
            return await SendAsync(work, transfer, moves => left = moves, cancellationToken);
        }
        catch (OperationCanceledException e) when (left)
        {
            // Told of each: with the count of what was not tried nobody would look for it.
            throw new PelicanException(Errors.Stopped, $"the upload to '{work.Item.Destination}' was stopped: {transfer.Left ?? "the object may be incomplete"}", "Upload it again, with --overwrite.", e);
        }
    }

    private Task<TransferResult> SendAsync(Work work, TransferProgress transfer, Action<bool> leaves, CancellationToken cancellationToken)
    {
        TreeItem item = work.Item;
        TransferOptions begun = options with { WasBegun = Run.Listener.WasBegun(item) };
        if (work.Place is not { } place)
        {
            ObjectUrl url = destination with { Recursive = false };
            return client.PutAsync(item.Source, url, intoCollection: false, begun, Begins, transfer, cancellationToken);
        }

        // Of what had begun a listing may be older than its end.
        bool known = IsFresh(place) && !begun.WasBegun;
        ObjectInfo? existing = known ? place.Existing!.GetValueOrDefault(work.Entry.Info.Name) : null;
        known &= existing is not null || !place.LooksAgain;
        return client.PutListedAsync(item, (known ? place.Server : null, existing), begun, Begins, transfer, cancellationToken);

        void Begins(bool moves)
        {
            leaves(moves);
            if (moves)
            {
                Begin(work, transfer);
            }
            else
            {
                Run.Listener.TakesBack(item);
            }
        }
    }

    private static ObjectInfo InfoOf(string path, LocalEntry entry) => new(path, entry.Size, entry.Modified, entry.Kind == LocalKind.Directory);

    private bool IsFresh(UploadPlace place) => place.Existing is not null && Run.Clock.GetElapsedTime(place.Asked) < GoodFor;

    private string LocalPath(int source, string path) => path.Length == 0 ? sources[source].TrimEnd('/') : $"{sources[source].TrimEnd('/')}/{path}";

    // Objects bring their collections with them. Only where there are none does it matter that the server makes none.
    private async Task MakeAsync(ObjectUrl url, string path, bool isEmpty, CancellationToken cancellationToken)
    {
        if (options.DryRun)
        {
            return;
        }

        try
        {
            await client.MakeCollectionAsync(url, options, cancellationToken);
        }
        catch (PelicanException e) when (!isEmpty || !e.Retryable)
        {
            if (isEmpty)
            {
                LeaveOut($"'{path}' is empty, and the server makes no collection for it: {e.Message}");
            }
        }
    }
}
