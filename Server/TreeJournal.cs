using System.Collections.Concurrent;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>
/// Remembers which objects of a tree are done, and which uploads had begun, so that a job that was interrupted does not begin
/// again with the first, and does not take its own traces for somebody else's objects.
/// </summary>
internal sealed class TreeJournal
{
    private readonly JobStore _store;
    private readonly StorePatience _patience;
    private readonly long _job;
    private readonly TransferRow _transfer;
    private readonly Direction _direction;
    private readonly bool _isNew;
    private readonly ConcurrentQueue<TreeItem> _done = [];

    private TreeJournal(JobStore store, StorePatience patience, long job, TransferRow transfer, Direction direction, bool isNew) =>
        (_store, _patience, _job, _transfer, _direction, _isNew) = (store, patience, job, transfer, direction, isNew);

    /// <summary>Opens the journal of a transfer.</summary>
    /// <param name="store">Keeps it.</param>
    /// <param name="patience">Waits while it cannot be used.</param>
    /// <param name="job"><see cref="JobRow.Seq"/>.</param>
    /// <param name="transfer">The transfer.</param>
    /// <param name="direction">Which way it goes.</param>
    public static async Task<TreeJournal> OpenAsync(JobStore store, StorePatience patience, long job, TransferRow transfer, Direction direction) =>
        new(store, patience, job, transfer, direction, isNew: !await patience.WaitAsync(() => store.HasObjectsAsync(job, transfer.Position)));

    /// <summary>What the tree tells and asks.</summary>
    /// <param name="ended">Is told of each object that has ended.</param>
    /// <param name="leavesOut">Is told what is left out on purpose.</param>
    public TreeListener Listen(Action<TreeOutcome> ended, Action<string> leavesOut) => new()
    {
        IsDone = IsDone,
        WasBegun = item => !_isNew && Find(item) is not null,
        Begins = Begins,
        TakesBack = TakesBack,
        Ended = outcome =>
        {
            Ended(outcome);
            ended(outcome);
        },
        LeavesOut = leavesOut,
    };

    /// <summary>Writes down what was done since the last time.</summary>
    public async Task FlushAsync()
    {
        List<TreeItem> done = [];
        while (_done.TryDequeue(out TreeItem? item))
        {
            done.Add(item);
        }

        if (done.Count > 0)
        {
            Sync();
            await _store.NoteObjectsAsync(_job, _transfer.Position, done, done: true);
        }
    }

    /// <summary>
    /// Brings what a download has written to the disk: what is noted as done is not looked at again. All of it at once, since a small
    /// file costs as much to flush as a hundred.
    /// </summary>
    public void Sync()
    {
        if (_direction == Direction.Download)
        {
            LocalFile.SyncAll(_transfer.Destination!);
        }
    }

    private bool IsDone(TreeItem item) =>
        !_isNew && Find(item) is { Done: true } mark && mark.IsOf(item) && (_direction == Direction.Upload || IsInPlace(item));

    private static bool IsInPlace(TreeItem item) => new FileInfo(item.Destination) is { Exists: true } file && file.Length == item.Size;

    // Waited for on the spot: the tree holds the object up for it, and not one byte may leave before this is on the disk.
    private void Begins(TreeItem item, TransferProgress progress)
    {
        if (_direction == Direction.Upload)
        {
            _patience.WaitAsync(() => _store.NoteObjectsAsync(_job, _transfer.Position, [item], done: false)).GetAwaiter().GetResult();
        }
    }

    private void TakesBack(TreeItem item)
    {
        try
        {
            _store.ForgetObjectAsync(_job, _transfer.Position, item.Path).GetAwaiter().GetResult();
        }
        catch (PelicanException)
        {
            // A mark too many: what is there is looked at all the same.
        }
    }

    private void Ended(TreeOutcome outcome)
    {
        // What was there before an upload is not its own: it must not look like something that a later run may replace.
        if (outcome is { Result: { } result, Item.Path.Length: > 0 } && !(result.WasThere && _direction == Direction.Upload))
        {
            _done.Enqueue(outcome.Item);
        }
    }

    private ObjectMark? Find(TreeItem item) =>
        _patience.WaitAsync(() => _store.FindObjectAsync(_job, _transfer.Position, item.Path)).GetAwaiter().GetResult();
}
