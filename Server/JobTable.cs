using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>
/// The jobs, running and past. The database is the truth; memory holds only what runs. Jobs start in the order of submission,
/// so many at once; what was interrupted goes on first.
/// </summary>
internal sealed partial class JobTable : IAsyncDisposable
{
    private const int PrunedTogether = 500;

    private static readonly TimeSpan PruneInterval = TimeSpan.FromHours(24);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(5);

    private readonly JobTableOptions _options;
    private readonly JobStore _store;
    private readonly JobRunner _runner;
    private readonly JobRequestCheck _check;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly JobWatchers _watchers = new();
    private readonly ConcurrentDictionary<string, LiveJob> _live = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _slots;
    private readonly CancellationTokenSource _stop = new();

    // Held while a job gets its time and its place in the queue of the store, so that the order of both is one.
    private readonly Lock _submitting = new();

    // Held while a job is taken from the store and put among those that run, so that no cancellation falls in between.
    private readonly SemaphoreSlim _taking = new(1);
    private readonly Channel<bool> _submitted =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Task _dispatching;
    private readonly Task _pruning;
    private bool _disposed;

    private JobTable(JobTableOptions options, JobStore store, FederationClient client, ILoggerFactory logs, TimeProvider clock)
    {
        (_options, _store, _clock) = (options, store, clock);
        _logger = logs.CreateLogger<JobTable>();
        _check = new JobRequestCheck(options.Settings, options.Redactor);
        _runner = new JobRunner(store, client, _watchers, options, _logger, clock);
        _slots = new SemaphoreSlim(options.MaxJobs);
        Stopping = _stop.Token;
        _dispatching = Task.Run(DispatchAsync);
        _pruning = Task.Run(PruneOldAsync);
    }

    /// <summary>Jobs that are not final, waiting ones included.</summary>
    public int ActiveJobs => (int)_store.Unfinished;

    /// <summary>Signalled when work pauses: whoever waits for a job should not wait any longer.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>What requests are checked against.</summary>
    public JobRequestCheck RequestCheck => _check;

    /// <summary>Mode of new local files for requests that bring no umask.</summary>
    public UnixFileMode DefaultFileMode => _options.DefaultFileMode;

    /// <summary>Time of this table.</summary>
    public TimeProvider Clock => _clock;

    /// <summary>Opens the database and goes on with what it holds.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="client">Moves objects.</param>
    /// <param name="logs">Where log messages go.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="PelicanException">The database is in use, damaged, newer than this program, or not ours.</exception>
    public static JobTable Open(JobTableOptions options, FederationClient client, ILoggerFactory logs, TimeProvider clock) =>
        new(options, JobStore.Open(options.Database), client, logs, clock);

    /// <summary>Creates a job; it is on the disk when this returns.</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="key">Idempotency key; null for none.</param>
    /// <param name="digest">Digest of the request; null without a key.</param>
    /// <exception cref="PelicanException">The request cannot be carried out, or the database not be written.</exception>
    public async Task<Creation> CreateAsync(JobRequest request, string? key, byte[]? digest)
    {
        try
        {
            _check.Check(request);
        }
        catch (PelicanException) when (key is not null)
        {
            // What the job needed may be gone with it, such as its token: the answer is that of the first time all the same.
            if (await _store.FindByKeyAsync(key, digest) is { } earlier)
            {
                return earlier;
            }

            throw;
        }

        string? options = request.Options is null ? null : JsonSerializer.Serialize(request.Options, PelicanJson.Default.JobOptions);
        Task<Creation> creating;
        lock (_submitting)
        {
            DateTimeOffset now = _clock.GetUtcNow();
            // As it will be read from the disk: the answer must not differ from later ones.
            now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
            creating = _store.CreateAsync(new NewJob(NewId(now), now, options,
            [
                .. request.Transfers.Select((transfer, i) => new TransferRow
                {
                    Position = i,
                    Id = NewId(now),
                    Operation = transfer.Operation,
                    Source = transfer.Source,
                    Destination = transfer.Destination,
                    Recursive = transfer.Recursive,
                }),
            ], key, digest));
        }

        Creation creation = await creating;
        _submitted.Writer.TryWrite(true);
        return creation;

        // Ordered by time, which keeps the index dense.
        static string NewId(DateTimeOffset now) => Guid.CreateVersion7(now).ToString();
    }

    /// <summary>Finds a job; null when there is none of that id.</summary>
    public Task<JobRecord?> FindAsync(string id) => _store.FindAsync(id);

    /// <summary>Finds a job, without its transfers; null when there is none of that id.</summary>
    public Task<JobRow?> FindRowAsync(string id) => _store.FindRowAsync(id);

    /// <inheritdoc cref="JobStore.FindBegunAsync"/>
    public Task<JobRecord?> FindBegunAsync(string id, int first, int count) => _store.FindBegunAsync(id, first, count);

    /// <summary>A job at work; null when it is not.</summary>
    public LiveJob? Live(string id) => _live.GetValueOrDefault(id);

    /// <summary>Lists jobs, those submitted last first.</summary>
    public Task<JobPage> ListAsync(JobFilter filter) => _store.ListAsync(filter);

    /// <summary>Lists final jobs by time of their end, newest first.</summary>
    public Task<JobPage> HistoryAsync(JobFilter filter) => _store.HistoryAsync(filter);

    /// <summary>Watches a job.</summary>
    public JobWatchers.Watch Watch(string id) => _watchers.Add(id);

    /// <summary>Waits for a job.</summary>
    /// <param name="id">The job.</param>
    /// <param name="since">Number of the last change known: wait for a later one. Null: wait for the end.</param>
    /// <param name="limit">Longest wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The job as it is then; null when there is none of that id.</returns>
    public async Task<JobRecord?> WaitAsync(string id, long? since, TimeSpan limit, CancellationToken cancellationToken)
    {
        using JobWatchers.Watch watch = Watch(id);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Stopping);
        long start = _clock.GetTimestamp();
        while (true)
        {
            // Without its transfers, which may be thousands, and are of no interest until something is to be told.
            JobRow? job = await FindRowAsync(id);
            TimeSpan left = limit - _clock.GetElapsedTime(start);
            if (job is null || job.State.IsFinal() || job.Sequence > since || left <= TimeSpan.Zero || Stopping.IsCancellationRequested)
            {
                return await FindAsync(id);
            }

            try
            {
                await watch.ChangedAsync(left, _clock, ended.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Work pauses: what is known now is the answer.
            }
        }
    }

    /// <summary>Cancels a job. Nothing of it moves any more when this returns.</summary>
    /// <returns>The job, final; what was final before stays as it was. Null when there is none of that id.</returns>
    public async Task<JobRecord?> CancelAsync(string id, CancellationToken cancellationToken)
    {
        while (true)
        {
            await _taking.WaitAsync(cancellationToken);
            LiveJob? live;
            JobRecord? record = null;
            try
            {
                live = Live(id);
                live?.Cancel();
                record = live is null ? await _store.CancelAsync(id, _clock.GetUtcNow()) : null;
            }
            finally
            {
                _taking.Release();
            }

            if (live is null)
            {
                JobTokens.Forget(record?.Job.Options);
                _watchers.Tell(id);
                if (record is not null)
                {
                    // Others need not wait for a walk through a large tree.
                    await Task.Run(() => CancelledParts.Remove(record, _options.Settings, _logger), cancellationToken);
                }

                return record;
            }

            // Then it is final; or, when that could not be written, to be cancelled like one that waits.
            await live.Ended.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Removes a job that is final.</summary>
    /// <returns>Its state; null when there is none of that id. Unless that is final, it is still there.</returns>
    public Task<JobState?> RemoveAsync(string id) => _store.RemoveAsync(id);

    /// <summary>Removes jobs that ended before a time.</summary>
    /// <returns>Jobs removed.</returns>
    public async Task<int> PruneAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        int all = 0;
        int pruned;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            pruned = await _store.PruneAsync(before, PrunedTogether);
            all += pruned;
        }
        while (pruned == PrunedTogether);
        return all;
    }

    /// <summary>Stops all work for now. What ran goes on at the next start, from where it is; no state changes.</summary>
    public async Task PauseAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_dispatching, _pruning).WaitAsync(cancellationToken);
        LiveJob[] running = [.. _live.Values];
        foreach (LiveJob job in running)
        {
            job.Pause();
        }

        await Task.WhenAll(running.Select(job => job.Ended)).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await PauseAsync(CancellationToken.None);
        _store.Dispose();
        _slots.Dispose();
        _taking.Dispose();
        _stop.Dispose();
    }

    private async Task DispatchAsync()
    {
        try
        {
            while (true)
            {
                await _slots.WaitAsync(Stopping);
                LiveJob? job = await TakeAsync();
                if (job is null)
                {
                    _slots.Release();
                    await _submitted.Reader.ReadAsync(Stopping);
                }
                else
                {
                    _watchers.Tell(job.Id);
                }
            }
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // Work pauses.
        }
    }

    private async Task<LiveJob?> TakeAsync()
    {
        await _taking.WaitAsync(Stopping);
        try
        {
            RunningJob? next = await _store.TakeAsync([.. _live.Values.Select(job => job.Seq)], _clock.GetUtcNow());
            if (next is null)
            {
                return null;
            }

            LiveJob job = new(next, _clock);
            _live[job.Id] = job;
            job.Ended = Task.Run(() => RunAsync(job));
            return job;
        }
        catch (PelicanException e)
        {
            // A full disk, say. What waits will be looked at again.
            Log.CannotStart(_logger, e.Message);
            await Task.Delay(AfterFault, _clock, Stopping);
            _submitted.Writer.TryWrite(true);
            return null;
        }
        finally
        {
            _taking.Release();
        }
    }

    private async Task RunAsync(LiveJob job)
    {
        await _runner.RunAsync(job);
        job.Dispose();
        _slots.Release();
        // Last: whoever pauses the table waits for those that are in here, and then closes everything.
        _live.TryRemove(job.Id, out _);
    }

    private async Task PruneOldAsync()
    {
        if (_options.HistoryRetentionDays <= 0)
        {
            return;
        }

        try
        {
            while (true)
            {
                JobTokens.RemoveOld(Path.Combine(Path.GetDirectoryName(_options.Database)!, JobTokens.Folder), _clock.GetUtcNow());
                try
                {
                    await PruneAsync(_clock.GetUtcNow().AddDays(-_options.HistoryRetentionDays), Stopping);
                }
                catch (PelicanException e)
                {
                    Log.CannotPrune(_logger, e.Message);
                }

                await Task.Delay(PruneInterval, _clock, Stopping);
            }
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // Work pauses.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Cannot start the next job: {Fault}.")]
        public static partial void CannotStart(ILogger logger, string fault);

        [LoggerMessage(Level = LogLevel.Error, Message = "Cannot remove old jobs: {Fault}.")]
        public static partial void CannotPrune(ILogger logger, string fault);
    }
}
