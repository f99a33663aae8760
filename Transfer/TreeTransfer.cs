using System.Threading.Channels;

namespace Pelican.Transfer;

/// <summary>
/// Moves trees to one place, with all their sources laid over one another: a walk, collection by collection, and several objects in
/// flight meanwhile. In memory are the collections not yet visited and the listing of one, never the tree.
/// </summary>
/// <remarks>
/// 1. A collection is listed at every source that has it; a listing that fails, or is cut, is a failure of that collection.
/// 2. What two sources (or one, twice) have under one name is told and not moved, unless all of it is collections: these merge.
/// 3. The collection is made at the destination; then its objects are queued, and its collections noted.
/// </remarks>
/// <typeparam name="TPlace">A collection at the destination.</typeparam>
/// <param name="sources">How many sources there are.</param>
/// <param name="run">What goes with it.</param>
internal abstract class TreeTransfer<TPlace>(int sources, TreeRun run)
    where TPlace : class
{
    /// <summary>What a listing shows.</summary>
    /// <param name="Source">Index of the source.</param>
    /// <param name="Info">The object or collection.</param>
    /// <param name="Server">Who listed it; empty for a local directory.</param>
    protected sealed record Entry(int Source, ObjectInfo Info, string Server);

    /// <summary>An object to move.</summary>
    /// <param name="Item">As others see it.</param>
    /// <param name="Entry">As it was listed.</param>
    /// <param name="Place">Where it goes; null when it is all there is, and goes to the destination as a single object does.</param>
    protected sealed record Work(TreeItem Item, Entry Entry, TPlace? Place);

    private sealed record Pending(string Path, IReadOnlyList<int> Sources, TPlace? Parent);

    /// <summary>What goes with it.</summary>
    protected TreeRun Run => run;

    /// <summary>Runs it to the end.</summary>
    public async Task<TreeResult> RunAsync(CancellationToken cancellationToken)
    {
        await TreeWorkers.RunAsync<Work>(run.Settings.WorkerCount, WalkAsync, MoveAsync, cancellationToken);
        return run.Progress.Now();
    }

    /// <summary>What is in a collection of a source; the entry itself, with the same path, when it is an object.</summary>
    /// <param name="source">Index of the source.</param>
    /// <param name="path">Below the top of the tree; empty for the top.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    protected abstract Task<IReadOnlyList<Entry>> ListAsync(int source, string path, CancellationToken cancellationToken);

    /// <summary>Whether a listing of the top shows that it is an object.</summary>
    protected abstract bool IsObject(int source, IReadOnlyList<Entry> listing);

    /// <summary>Makes a collection at the destination.</summary>
    /// <param name="path">Below the top of the tree; empty for the top.</param>
    /// <param name="parent">The collection it is in; null for the top.</param>
    /// <param name="isEmpty">Whether nothing will be put into it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    protected abstract Task<TPlace> EnterAsync(string path, TPlace? parent, bool isEmpty, CancellationToken cancellationToken);

    /// <summary>Names of a listing that are one name at the destination: for each, another one of its kind.</summary>
    protected virtual IReadOnlyDictionary<string, string> Clashes(TPlace place, IReadOnlyCollection<string> names) => new Dictionary<string, string>();

    /// <summary>Names an object for others.</summary>
    protected abstract TreeItem ItemOf(string path, Entry entry, TPlace? place);

    /// <summary>Names a collection of a source for others.</summary>
    protected abstract TreeItem CollectionOf(string path, int source);

    /// <summary>Moves one object; calls <see cref="Begin"/> when its bytes are about to move.</summary>
    protected abstract Task<TransferResult> MoveAsync(Work work, TransferProgress transfer, CancellationToken cancellationToken);

    /// <summary>Tells that bytes are about to move.</summary>
    protected void Begin(Work work, TransferProgress transfer)
    {
        run.Progress.Began(transfer);
        run.Listener.Begins(work.Item, transfer);
    }

    /// <summary>Tells that something is left out on purpose.</summary>
    protected void LeaveOut(string why)
    {
        run.Progress.LeftOut();
        run.Listener.LeavesOut(why);
    }

    private async Task WalkAsync(ChannelWriter<Work> queue, CancellationToken cancellationToken)
    {
        Stack<Pending> frontier = new([new Pending("", [.. Enumerable.Range(0, sources)], null)]);
        while (frontier.TryPop(out Pending? next))
        {
            try
            {
                await VisitAsync(next, frontier, queue, cancellationToken);
            }
            catch (PelicanException e)
            {
                Fail(CollectionOf(next.Path, next.Sources[0]), e);
            }
        }

        run.Progress.Walked();
    }

    private async Task VisitAsync(Pending at, Stack<Pending> frontier, ChannelWriter<Work> queue, CancellationToken cancellationToken)
    {
        List<Entry> entries = [];
        bool listed = false;
        foreach (int source in at.Sources)
        {
            try
            {
                IReadOnlyList<Entry> listing = await run.RetryingAsync(() => ListAsync(source, at.Path, cancellationToken), cancellationToken);
                if (at.Path.Length == 0 && sources == 1 && IsObject(source, listing))
                {
                    await QueueAsync(queue, "", listing[0], null, cancellationToken);
                    return;
                }

                entries.AddRange(listing);
                listed = true;
            }
            catch (PelicanException e)
            {
                Fail(CollectionOf(at.Path, source), e);
            }
        }

        if (listed)
        {
            TPlace place = await EnterAsync(at.Path, at.Parent, entries.Count == 0, cancellationToken);
            run.Progress.FoundCollection();
            await SortAsync(at, entries, place, frontier, queue, cancellationToken);
        }
    }

    private async Task SortAsync(
        Pending at, List<Entry> entries, TPlace place, Stack<Pending> frontier, ChannelWriter<Work> queue, CancellationToken cancellationToken)
    {
        Dictionary<string, Entry> named = new(entries.Count, StringComparer.Ordinal);
        Dictionary<string, List<Entry>> repeated = [];
        foreach (Entry entry in entries)
        {
            string name = entry.Info.Name;
            if (named.TryAdd(name, entry))
            {
                continue;
            }

            if (!repeated.TryGetValue(name, out List<Entry>? all))
            {
                repeated[name] = all = [named[name]];
            }

            all.Add(entry);
        }

        IReadOnlyDictionary<string, string> clashes = Clashes(place, named.Keys);
        foreach ((string name, Entry entry) in named)
        {
            string path = at.Path.Length == 0 ? name : $"{at.Path}/{name}";
            List<Entry> same = repeated.GetValueOrDefault(name) ?? [entry];
            if (Objection(path, same, place) is { } objection)
            {
                Fail(ItemOf(path, entry, place), objection);
            }
            else if (clashes.TryGetValue(name, out string? other))
            {
                Fail(ItemOf(path, entry, place), new PelicanException(Errors.Parameter,
                    $"'{path}' and '{other}' have one name at '{ItemOf(path, entry, place).Destination}', whose file system does not tell them apart; neither was moved",
                    "Transfer them to different places."));
            }
            else if (entry.Info.IsCollection)
            {
                frontier.Push(new Pending(path, [.. same.Select(one => one.Source)], place));
            }
            else
            {
                await QueueAsync(queue, path, entry, place, cancellationToken);
            }
        }
    }

    // Why nothing of this name can be moved; null when it can.
    private PelicanException? Objection(string path, List<Entry> same, TPlace place)
    {
        if (same.Count > 1 && !(same.TrueForAll(entry => entry.Info.IsCollection) && same.DistinctBy(entry => entry.Source).Count() == same.Count))
        {
            (string first, string second) = (ItemOf(path, same[0], place).Source, ItemOf(path, same[1], place).Source);
            return first == second
                ? new PelicanException(Errors.Protocol, $"{same[0].Server} lists '{Faults.Clean(path)}' more than once",
                    "Its name may have bytes that are not UTF-8: rename it at the origin.")
                : new PelicanException(Errors.Parameter, $"'{first}' and '{second}' would both become '{ItemOf(path, same[0], place).Destination}'; neither was moved",
                    "Transfer them to different places.");
        }

        if (!same[0].Info.IsCollection && PartClaim.IsPart(same[0].Info.Name))
        {
            return new PelicanException(Errors.NotSupported, $"'{path}' has the name of an incomplete download", "Rename it, or delete it.");
        }

        return same[0].Info.IsKindTold ? TreeRun.TooDeep(path) : same[0].Info.KindUnknown(same[0].Server);
    }

    private async Task QueueAsync(ChannelWriter<Work> queue, string path, Entry entry, TPlace? place, CancellationToken cancellationToken)
    {
        run.Progress.Found(entry.Info.Size ?? 0);
        await queue.WriteAsync(new Work(ItemOf(path, entry, place), entry, place), cancellationToken);
    }

    private async Task MoveAsync(Work work, CancellationToken cancellationToken)
    {
        if (run.Listener.IsDone(work.Item))
        {
            run.Progress.IsThereAlready(work.Item.Size ?? 0, work.Item.Size ?? 0);
            return;
        }

        string name = work.Item.Path.Length > 0 ? work.Item.Path : work.Entry.Info.Name;
        TransferProgress transfer = new() { Name = name };
        transfer.SetTotal(work.Item.Size ?? -1);
        TransferResult? result = null;
        PelicanException? failure = null;
        try
        {
            result = await MoveAsync(work, transfer, cancellationToken);
        }
        catch (PelicanException e)
        {
            failure = e;
        }
        finally
        {
            run.Progress.Ended(transfer);
        }

        if (result is { WasThere: true })
        {
            run.Progress.IsThereAlready(result.Size, work.Item.Size ?? 0);
        }
        else if (result is not null)
        {
            run.Progress.Succeeded(result.Size, work.Item.Size ?? 0);
        }
        else if (failure is not null)
        {
            run.Progress.Failed(failure);
        }

        run.Listener.Ended(new TreeOutcome(work.Item, transfer, result, failure));
    }

    private void Fail(TreeItem item, PelicanException failure)
    {
        run.Progress.Found(0);
        run.Progress.Failed(failure);
        run.Listener.Ended(new TreeOutcome(item, null, null, failure));
    }
}
