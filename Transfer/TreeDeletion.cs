using System.Threading.Channels;

namespace Pelican.Transfer;

/// <summary>
/// Removes a collection with everything in it, several objects at once, at every origin that has it. A collection goes when all that
/// was in it is gone, and stays when something in it stays. Where a token may not list, the server is asked to remove the whole.
/// </summary>
/// <param name="client">The federation.</param>
/// <param name="top">URL of the collection, or of an object.</param>
/// <param name="options">Token.</param>
/// <param name="ended">Told of each object and collection that is gone, or why it is not; called by several threads at once.</param>
/// <param name="run">What goes with it; nobody listens.</param>
internal sealed class TreeDeletion(
    FederationClient client, ObjectUrl top, TransferOptions options, Action<TreeItem, PelicanException?> ended, TreeRun run)
{
    /// <summary>An object, and the servers that have it.</summary>
    private sealed record Work(TreeItem Item, Collection? In, IReadOnlyList<string> Servers);

    /// <summary>A collection until it is gone: those not yet visited, and what they are in, are all there is in memory.</summary>
    private sealed class Collection(string path, Collection? parent, IReadOnlyList<string> servers)
    {
        private int _open = 1;
        private volatile bool _kept;

        public string Path => path;

        public Collection? Parent => parent;

        /// <summary>Those that have it, as far as is known.</summary>
        public IReadOnlyList<string> Servers { get; set; } = servers;

        /// <summary>Why it could not be listed where it is to go all the same; null where it was.</summary>
        public PelicanException? Unlisted { get; set; }

        public bool IsKept => _kept;

        public void Open() => Interlocked.Increment(ref _open);

        // True for the last one.
        public bool Close(bool gone)
        {
            if (!gone)
            {
                _kept = true;
            }

            return Interlocked.Decrement(ref _open) == 0;
        }
    }

    /// <summary>Runs it to the end.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: it is the root of a namespace.</exception>
    public async Task<TreeResult> RunAsync(CancellationToken cancellationToken)
    {
        Resolution resolution = await client.ResolveForDeletionAsync(top, options, cancellationToken);
        string @namespace = resolution.Answer.Namespace;
        if (top.Path == ObjectPath.Root || (@namespace.Length > 0 && ObjectPath.FromPlain(@namespace) == top.Path))
        {
            throw new PelicanException(Errors.Parameter, $"'{top.Path}' is the root of a namespace: it is not deleted as a whole",
                "Name the collections in it that you want to delete.");
        }

        string[] servers = [.. resolution.Servers.Select(server => server.Name).Distinct()];
        await TreeWorkers.RunAsync<Work>(run.Settings.WorkerCount, (queue, stop) => WalkAsync(servers, queue, stop), async (work, stop) =>
            await CloseAsync(work.In, await RemoveAsync(work.Item, work.Servers, unlisted: null, isCollection: false, stop), stop), cancellationToken);
        return run.Progress.Now();
    }

    private async Task WalkAsync(IReadOnlyList<string> servers, ChannelWriter<Work> queue, CancellationToken cancellationToken)
    {
        Stack<Collection> frontier = new([new Collection("", null, servers)]);
        while (frontier.TryPop(out Collection? next))
        {
            bool listed = false;
            try
            {
                listed = await VisitAsync(next, frontier, queue, cancellationToken);
            }
            catch (PelicanException e)
            {
                run.Progress.Found(0);
                Fail(ItemOf(next.Path, 0, null), e);
            }

            await CloseAsync(next, listed, cancellationToken);
        }

        run.Progress.Walked();
    }

    // False when it is no collection.
    private async Task<bool> VisitAsync(Collection at, Stack<Collection> frontier, ChannelWriter<Work> queue, CancellationToken cancellationToken)
    {
        ObjectUrl url = top.Below(at.Path);
        (List<(ObjectInfo Info, List<string> Servers)> entries, bool isObject) = await ListAsync(at, url, cancellationToken);
        if (isObject)
        {
            (ObjectInfo only, List<string> servers) = entries[0];
            run.Progress.Found(only.Size ?? 0);
            await queue.WriteAsync(new Work(ItemOf("", only.Size, only.Modified), null, servers), cancellationToken);
            return false;
        }

        foreach ((ObjectInfo info, List<string> servers) in entries)
        {
            string path = at.Path.Length == 0 ? info.Name : $"{at.Path}/{info.Name}";
            if (TreeRun.TooDeep(path) is { } tooDeep)
            {
                throw tooDeep;
            }

            at.Open();
            if (info.IsCollection)
            {
                frontier.Push(new Collection(path, at, servers));
            }
            else
            {
                run.Progress.Found(info.Size ?? 0);
                await queue.WriteAsync(new Work(ItemOf(path, info.Size, info.Modified), at, servers), cancellationToken);
            }
        }

        return true;
    }

    // What is in it at any of its servers, and who has it; whether it is an object itself.
    private async Task<(List<(ObjectInfo Info, List<string> Servers)> Entries, bool IsObject)> ListAsync(
        Collection at, ObjectUrl url, CancellationToken cancellationToken)
    {
        Dictionary<(string Name, bool IsCollection), (ObjectInfo Info, List<string> Servers)> entries = [];
        List<string> having = [];
        PelicanException? missing = null;
        bool isObject = false;
        foreach (string name in at.Servers)
        {
            try
            {
                IReadOnlyList<ObjectInfo> listing = await run.RetryingAsync(
                    async () => await (await ServerAsync(url, name, cancellationToken)).ListAsync(cancellationToken), cancellationToken);
                isObject |= listing is [{ IsCollection: false } only] && only.Path == url.Path.Decoded;
                foreach (ObjectInfo info in listing)
                {
                    if (!entries.TryGetValue((info.Name, info.IsCollection), out (ObjectInfo Info, List<string> Servers) entry))
                    {
                        entries[(info.Name, info.IsCollection)] = entry = (info, []);
                    }

                    entry.Servers.Add(name);
                }
            }
            catch (PelicanException e) when (e.Row == Errors.NotFound)
            {
                missing = e;
                continue;
            }
            catch (PelicanException e) when (e.Row == Errors.Authorization)
            {
                at.Unlisted = e;
            }

            having.Add(name);
        }

        at.Servers = having.Count > 0 ? having : throw missing!;
        return isObject && entries.Count > 1
            ? throw new PelicanException(Errors.Specification, $"'{url.Path}' is an object at one of {string.Join(", ", having)}, and a collection at another",
                "Tell whoever runs the namespace.")
            : ([.. entries.Values], isObject);
    }

    private async Task<ObjectServer> ServerAsync(ObjectUrl url, string name, CancellationToken cancellationToken) =>
        (await client.ResolveForDeletionAsync(url, options, cancellationToken)).Servers.FirstOrDefault(server => server.Name == name)
        ?? throw new PelicanException(Errors.Director, $"the director does not name {name} for '{url.Path}' any more", "Try again.");

    // One thing less in a collection; the last one takes the collection along, and so on upwards.
    private async Task CloseAsync(Collection? at, bool gone, CancellationToken cancellationToken)
    {
        for (Collection? collection = at; collection is not null && collection.Close(gone); collection = collection.Parent)
        {
            gone = !collection.IsKept
                && await RemoveAsync(ItemOf(collection.Path, 0, null), collection.Servers, collection.Unlisted, isCollection: true, cancellationToken);
        }
    }

    private async Task<bool> RemoveAsync(
        TreeItem item, IReadOnlyList<string> servers, PelicanException? unlisted, bool isCollection, CancellationToken cancellationToken)
    {
        PelicanException? failure = null;
        bool any = false;
        foreach (string name in servers)
        {
            try
            {
                any |= await run.RetryingAsync(
                    async () => await (await ServerAsync(top.Below(item.Path), name, cancellationToken)).DeleteAsync(cancellationToken), cancellationToken);
            }
            catch (PelicanException e)
            {
                failure ??= unlisted ?? e;
            }
        }

        // That it has gone already is no failure: it was there a moment ago. What nobody could see was perhaps never there.
        if (failure is null && unlisted is not null && !any)
        {
            failure = new PelicanException(Errors.NotFound, $"{servers[0]} has no '{top.Below(item.Path).Path}'", Faults.WhereToLook(top.Below(item.Path).Path));
        }

        if (failure is not null)
        {
            if (isCollection)
            {
                run.Progress.Found(0);
            }

            Fail(item, failure);
            return false;
        }

        if (isCollection)
        {
            run.Progress.FoundCollection();
        }
        else
        {
            run.Progress.Succeeded(item.Size ?? 0, item.Size ?? 0);
        }

        ended(item, null);
        return true;
    }

    private TreeItem ItemOf(string path, long? size, DateTimeOffset? modified) => new(path, top.Below(path).Text, "", size, modified);

    private void Fail(TreeItem item, PelicanException failure)
    {
        run.Progress.Failed(failure);
        ended(item, failure);
    }
}
