using System.Threading.Channels;

namespace Pelican.Transfer;

/// <summary>
/// Removes a collection with everything in it, several objects at once. A collection goes when all that was in it is gone, and stays
/// when something in it stays.
/// </summary>
/// <param name="client">The federation.</param>
/// <param name="top">URL of the collection, or of an object.</param>
/// <param name="options">Token.</param>
/// <param name="ended">Told of each object and collection that is gone, or why it is not; called by several threads at once.</param>
/// <param name="run">What goes with it; nobody listens.</param>
internal sealed class TreeDeletion(
    FederationClient client, ObjectUrl top, TransferOptions options, Action<TreeItem, PelicanException?> ended, TreeRun run)
{
    private sealed record Work(TreeItem Item, Collection? In);

    /// <summary>A collection until it is gone: those not yet visited, and what they are in, are all there is in memory.</summary>
    private sealed class Collection(string path, Collection? parent)
    {
        private int _open = 1;
        private volatile bool _kept;

        public string Path => path;

        public Collection? Parent => parent;

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
        string @namespace = (await client.ResolveForDeletionAsync(top, options, cancellationToken)).Answer.Namespace;
        if (top.Path == ObjectPath.Root || (@namespace.Length > 0 && ObjectPath.FromPlain(@namespace) == top.Path))
        {
            throw new PelicanException(Errors.Parameter, $"'{top.Path}' is the root of a namespace: it is not deleted as a whole",
                "Name the collections in it that you want to delete.");
        }

        await TreeWorkers.RunAsync<Work>(run.Settings.WorkerCount, WalkAsync, async (work, stop) =>
            await CloseAsync(work.In, await RemoveAsync(work.Item, isCollection: false, stop), stop), cancellationToken);
        return run.Progress.Now();
    }

    private async Task WalkAsync(ChannelWriter<Work> queue, CancellationToken cancellationToken)
    {
        Stack<Collection> frontier = new([new Collection("", null)]);
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
        IReadOnlyList<ObjectInfo> listing = await run.RetryingAsync(
            async () => await (await client.ResolveForDeletionAsync(url, options, cancellationToken)).Servers[0].ListAsync(cancellationToken), cancellationToken);
        if (listing is [{ IsCollection: false } only] && only.Path == url.Path.Decoded)
        {
            run.Progress.Found(only.Size ?? 0);
            await queue.WriteAsync(new Work(ItemOf("", only.Size, only.Modified), null), cancellationToken);
            return false;
        }

        foreach (ObjectInfo info in listing)
        {
            string path = at.Path.Length == 0 ? info.Name : $"{at.Path}/{info.Name}";
            if (TreeRun.TooDeep(path) is { } tooDeep)
            {
                throw tooDeep;
            }

            at.Open();
            if (info.IsCollection)
            {
                frontier.Push(new Collection(path, at));
            }
            else
            {
                run.Progress.Found(info.Size ?? 0);
                await queue.WriteAsync(new Work(ItemOf(path, info.Size, info.Modified), at), cancellationToken);
            }
        }

        return true;
    }

    // One thing less in a collection; the last one takes the collection along, and so on upwards.
    private async Task CloseAsync(Collection? at, bool gone, CancellationToken cancellationToken)
    {
        for (Collection? collection = at; collection is not null && collection.Close(gone); collection = collection.Parent)
        {
            gone = !collection.IsKept && await RemoveAsync(ItemOf(collection.Path, 0, null), isCollection: true, cancellationToken);
        }
    }

    private async Task<bool> RemoveAsync(TreeItem item, bool isCollection, CancellationToken cancellationToken)
    {
        try
        {
            // That it has gone already is no failure: it was there a moment ago.
            await run.RetryingAsync(async () =>
                await (await client.ResolveForDeletionAsync(top.Below(item.Path), options, cancellationToken)).Servers[0].DeleteAsync(cancellationToken), cancellationToken);
        }
        catch (PelicanException e)
        {
            if (isCollection)
            {
                run.Progress.Found(0);
            }

            Fail(item, e);
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
