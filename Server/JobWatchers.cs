using System.Threading.Channels;

namespace Pelican.Server;

/// <summary>Who waits for changes of which job.</summary>
internal sealed class JobWatchers
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<Watch>> _watches = new(StringComparer.Ordinal);

    /// <summary>Watches a job. What changes from now on is noticed; what changed before is not.</summary>
    public Watch Add(string job)
    {
        Watch watch = new(this, job);
        lock (_lock)
        {
            if (!_watches.TryGetValue(job, out List<Watch>? watches))
            {
                _watches[job] = watches = [];
            }

            watches.Add(watch);
        }

        return watch;
    }

    /// <summary>Tells that a job changed.</summary>
    public void Tell(string job)
    {
        lock (_lock)
        {
            _watches.GetValueOrDefault(job)?.ForEach(watch => watch.Tell());
        }
    }

    private void Remove(Watch watch)
    {
        lock (_lock)
        {
            if (_watches.TryGetValue(watch.Job, out List<Watch>? watches) && watches.Remove(watch) && watches.Count == 0)
            {
                _watches.Remove(watch.Job);
            }
        }
    }

    /// <summary>One who waits.</summary>
    internal sealed class Watch(JobWatchers all, string job) : IDisposable
    {
        private readonly Channel<bool> _changed =
            Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public string Job => job;

        /// <summary>Waits for a change since the last time this was asked.</summary>
        /// <param name="limit">Longest wait.</param>
        /// <param name="clock">Measures it.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>False when nothing changed within the limit.</returns>
        public async Task<bool> ChangedAsync(TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken)
        {
            using CancellationTokenSource enough = new(limit, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancellationToken);
            try
            {
                return await _changed.Reader.ReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (enough.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return false;
            }
        }

        public void Tell() => _changed.Writer.TryWrite(true);

        /// <inheritdoc/>
        public void Dispose() => all.Remove(this);
    }
}
