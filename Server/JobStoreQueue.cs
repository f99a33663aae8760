using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Pelican.Server;

/// <summary>
/// The one thread that uses the database. What waits for it together is committed together, so that a hundred clients share
/// one flush of the disk; each learns of its own change once that is done.
/// </summary>
internal sealed class JobStoreQueue : IDisposable
{
    /// <summary>Most changes in one transaction: nobody should wait for more than that.</summary>
    private const int MostTogether = 512;

    private readonly JobStoreFile _file;
    private readonly Func<JobStoreFile, long> _measure;
    private readonly Action<long> _committed;
    private readonly BlockingCollection<Work> _waiting = [];
    private readonly Thread _thread;

    /// <summary>Starts the thread.</summary>
    /// <param name="file">The database; the queue's own from now on.</param>
    /// <param name="measure">Called at the end of each transaction.</param>
    /// <param name="committed">Called with what was measured once that is on the disk, before anybody learns of it.</param>
    public JobStoreQueue(JobStoreFile file, Func<JobStoreFile, long> measure, Action<long> committed)
    {
        (_file, _measure, _committed) = (file, measure, committed);
        _thread = new Thread(Run) { Name = "job store", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Changes the database. A change that waits is made whatever becomes of whoever wanted it.</summary>
    /// <param name="change">May be called twice: what shared a transaction with a change that failed is done again.</param>
    /// <returns>Ends once the change is on the disk.</returns>
    /// <exception cref="Transfer.PelicanException">It could not be written; nothing is changed.</exception>
    public Task<T> WriteAsync<T>(Func<JobStoreFile, T> change) => Add(new Work<T>(change, writes: true));

    /// <summary>Reads what is on the disk.</summary>
    public Task<T> ReadAsync<T>(Func<JobStoreFile, T> read) => Add(new Work<T>(read, writes: false));

    /// <summary>Finishes what waits, and closes the database.</summary>
    public void Dispose()
    {
        if (!_waiting.IsAddingCompleted)
        {
            _waiting.CompleteAdding();
            _thread.Join();
            _waiting.Dispose();
        }
    }

    private Task<T> Add<T>(Work<T> work)
    {
        _waiting.Add(work);
        return work.Task;
    }

    private void Run()
    {
        foreach (Work first in _waiting.GetConsumingEnumerable())
        {
            List<Work> changes = [];
            List<Work> questions = [];
            Work? next = first;
            do
            {
                (next.Writes ? changes : questions).Add(next);
            }
            while (changes.Count + questions.Count < MostTogether && _waiting.TryTake(out next));

            // First, so that they see nothing of what may yet fail to be written.
            foreach (Work question in questions)
            {
                question.Try(_file);
                question.End();
            }

            if (changes.Count > 0)
            {
                Commit(changes);
            }
        }

        _file.Dispose();
    }

    private void Commit(List<Work> changes)
    {
        Exception? fault = TryCommit(changes);
        if (fault is null)
        {
            changes.ForEach(change => change.End());
        }
        else if (changes is [var only])
        {
            only.End(fault);
        }
        else
        {
            // One of them cannot be made; the others must not suffer for it.
            changes.ForEach(change => Commit([change]));
        }
    }

    private Exception? TryCommit(List<Work> changes)
    {
        try
        {
            _file.Execute("BEGIN IMMEDIATE");
            foreach (Work change in changes)
            {
                if (change.Try(_file) is { } fault)
                {
                    _file.RollBack();
                    return fault;
                }
            }

            long measured = _measure(_file);
            _file.Execute("COMMIT");
            _committed(measured);
            return null;
        }
        catch (SqliteException e)
        {
            _file.RollBack();
            return _file.Explain(e);
        }
    }

    private abstract class Work(bool writes)
    {
        public bool Writes => writes;

        /// <summary>Does it, for now.</summary>
        /// <returns>What went wrong; null when nothing did.</returns>
        public abstract Exception? Try(JobStoreFile file);

        /// <summary>Tells whoever waits what came of the last try, or that it came to nothing.</summary>
        public abstract void End(Exception? fault = null);
    }

#pragma warning disable CA1001 // A task that nobody waits for by handle holds nothing to dispose of.
    private sealed class Work<T>(Func<JobStoreFile, T> body, bool writes) : Work(writes)
    {
        private readonly TaskCompletionSource<T> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Task<T>? _try;

        public Task<T> Task => _end.Task;

        public override Exception? Try(JobStoreFile file)
        {
            // A task, since it keeps whatever is thrown for the one who waits, and away from this thread.
            _try = new Task<T>(() =>
            {
                try
                {
                    return body(file);
                }
                catch (SqliteException e)
                {
                    throw file.Explain(e);
                }
            });
            _try.RunSynchronously(TaskScheduler.Default);
            return _try.Exception?.InnerException;
        }

        public override void End(Exception? fault)
        {
            if (fault is null)
            {
                _end.SetFromTask(_try!);
            }
            else
            {
                _end.SetException(fault);
            }
        }
    }
#pragma warning restore CA1001
}
