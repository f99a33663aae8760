using System.Text.Json;
using Microsoft.Extensions.Logging;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Runs one job: its transfers one after another, each noted when it ends. One edge of the program: no fault leaves it.</summary>
/// <param name="store">Keeps what happens.</param>
/// <param name="client">Moves objects.</param>
/// <param name="watchers">Are told of what happens.</param>
/// <param name="options">Of the job table.</param>
/// <param name="logger">For what nobody else is told.</param>
/// <param name="clock">Times what happens.</param>
internal sealed partial class JobRunner(
    JobStore store, FederationClient client, JobWatchers watchers, JobTableOptions options, ILogger logger, TimeProvider clock)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan JournalInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How long servers that a director does not name any more are waited for: a restart takes seconds, an upgrade minutes.</summary>
    private static readonly TimeSpan ServersDown = TimeSpan.FromMinutes(10);

    /// <summary>Runs a job until it is final, or is to pause.</summary>
    public async Task RunAsync(LiveJob job)
    {
        using CancellationTokenSource ended = new();
        Task keeping = KeepAsync(job, ended.Token);
        bool more = true;
        while (more)
        {
            TransferRow transfer = job.Current;
            TransferEnd? end = await MoveAsync(job, transfer);
            if (end is null)
            {
                // Paused: the state stays, the numbers are kept.
                await SaveAsync(job);
                break;
            }

            more = await NoteAsync(job, transfer, end);
            watchers.Tell(job.Id);
        }

        await ended.CancelAsync();
        await keeping;
    }

    // Null when it is to pause.
    private async Task<TransferEnd?> MoveAsync(LiveJob job, TransferRow transfer)
    {
        JobAttempts attempts = new(options.Redactor);
        try
        {
            job.Stop.ThrowIfCancellationRequested();
            if (await PatientlyAsync(job, transfer, attempts) is not { } result)
            {
                return End(JobState.Completed);
            }

            attempts.Add(result.Attempts);
            return new TransferEnd(JobState.Completed, clock.GetUtcNow(), result.Size, result.Size, Attempts: attempts.ToJson());
        }
        catch (Exception e) when (job.Stop.IsCancellationRequested && e is OperationCanceledException or PelicanException)
        {
            // What fails while it is being stopped may fail because of that: it is no failure, and tried again if it goes on.
            return job.IsCancelled ? End(JobState.Cancelled, await LeftAsync(job, transfer)) : null;
        }
        catch (PelicanException e)
        {
            attempts.Add(e.Attempts);
            return End(JobState.Failed, options.Redactor.Redact(e.NextStep is null ? e.Message : $"{e.Message}. {e.NextStep}"));
        }
        catch (Exception e)
        {
            Log.Broken(logger, e, job.Id, transfer.Id);
            return End(JobState.Failed, $"internal error: {options.Redactor.Redact(e.Message)}");
        }

        TransferEnd End(JobState state, string? error = null)
        {
            (long bytes, long total) = job.Counters.Now;
            return new TransferEnd(state, clock.GetUtcNow(), bytes, total, error, attempts.ToJson());
        }
    }

    // What a cancelled upload may have left at its destination; null for nothing.
    private async Task<string?> LeftAsync(LiveJob job, TransferRow transfer)
    {
        try
        {
            if ((await store.FindAsync(job.Id))?.Transfers[transfer.Position].Claimed == true)
            {
                return options.Redactor.Redact($"it was stopped while it was uploaded: {job.Counters.One.Left ?? $"'{transfer.Destination}' may be incomplete"}");
            }

            (long count, string? first) = await store.BegunObjectsAsync(job.Seq, transfer.Position);
            return count == 0 || JobRequestCheck.DirectionOf(transfer.Operation, transfer.Source) == Direction.Download ? null
                : options.Redactor.Redact($"it was stopped while it was uploaded: {count} objects may be incomplete, such as '{first}'");
        }
        catch (PelicanException e)
        {
            Log.CannotNote(logger, job.Id, e.Message);
            return null;
        }
    }

    // What is no fault of the job is waited for: memory that others have, and servers that are being restarted.
    private async Task<TransferResult?> PatientlyAsync(LiveJob job, TransferRow transfer, JobAttempts attempts)
    {
        long start = clock.GetTimestamp();
        // An earlier run has moved bytes of it, so there was something then.
        bool ran = transfer.Claimed || transfer.Bytes > 0;
        for (TransferRow row = transfer; ;)
        {
            try
            {
                return await TransferAsync(job, row, attempts);
            }
            catch (PelicanException e) when ((e.ServersMayBeDown || (ran && e.IsOfDirector)) && clock.GetElapsedTime(start) < ServersDown)
            {
                Log.Waits(logger, job.Id, e.Message);
            }
            catch (Exception e) when (IsOutOfMemory(e))
            {
                Log.Waits(logger, job.Id, $"there is no memory left: {e.Message}");
            }

            await Task.Delay(options.Rest, clock, job.Stop);
            row = await store.FindAsync(job.Id) is { } now ? now.Transfers[transfer.Position] : row;
        }
    }

    // A thread that cannot be made is told as a fault of the scheduler.
    private static bool IsOutOfMemory(Exception e) =>
        e is OutOfMemoryException or TaskSchedulerException || (e is not PelicanException && e.InnerException is { } inner && IsOutOfMemory(inner));

    // Null for a tree, whose counters tell it all.
    private async Task<TransferResult?> TransferAsync(LiveJob job, TransferRow transfer, JobAttempts attempts)
    {
        JobOptions? wanted = job.Options is null ? null : JsonSerializer.Deserialize(job.Options, PelicanJson.Default.JobOptions);
        TransferOptions transferOptions = JobOptionsReader.Read(wanted, options.DefaultFileMode) with { Durable = true, IsGivenUp = () => job.IsCancelled };
        Direction direction = JobRequestCheck.DirectionOf(transfer.Operation, transfer.Source);
        string remote = JobOptionsReader.UrlOf(direction == Direction.Download ? transfer.Source : transfer.Destination!, wanted);
        ObjectUrl url = ObjectUrl.Parse(remote, options.Settings);
        if (transfer.Recursive || url.Recursive)
        {
            await MoveTreeAsync(job, transfer, (direction, remote), transferOptions, attempts);
            return null;
        }

        if (direction == Direction.Download)
        {
            return await client.GetAsync(remote, transfer.Destination!, transferOptions, job.Counters.One, job.Stop);
        }

        // Not one byte may leave before it is on the disk that what will be there may be ours.
        return await client.PutAsync(
            transfer.Source, url, intoCollection: false, transferOptions with { WasBegun = transfer.Claimed },
            begins => ClaimAsync(job, transfer, begins).GetAwaiter().GetResult(), job.Counters.One, job.Stop);
    }

    private async Task ClaimAsync(LiveJob job, TransferRow transfer, bool begins)
    {
        if (begins)
        {
            await Patience(job).WaitAsync(() => store.ClaimAsync(job.Seq, transfer.Position));
            return;
        }

        try
        {
            await store.ClaimAsync(job.Seq, transfer.Position, claimed: false);
        }
        catch (PelicanException e)
        {
            // A claim too many: what is there is looked at all the same.
            Log.CannotNote(logger, job.Id, e.Message);
        }
    }

    private StorePatience Patience(LiveJob job) => new(job.Id, logger, clock, job.Stop);

    private async Task MoveTreeAsync(
        LiveJob job, TransferRow transfer, (Direction Direction, string Url) at, TransferOptions transferOptions, JobAttempts attempts)
    {
        TreeJournal journal = await TreeJournal.OpenAsync(store, Patience(job), job.Seq, transfer, at.Direction);
        TreeListener listener = journal.Listen(attempts.Add, what => Log.LeftOut(logger, job.Id, what));
        TreeProgress progress = job.Counters.CountTree();
        using CancellationTokenSource ended = new();
        Task flushing = FlushAsync(journal, job, ended.Token);
        TreeResult result;
        try
        {
            result = at.Direction == Direction.Download
                // The journal brings many objects to the disk at once.
                ? await client.GetTreeAsync([at.Url], transfer.Destination!, transferOptions with { Durable = false }, listener, progress, job.Stop)
                : await client.PutTreeAsync([transfer.Source], at.Url, transferOptions, listener, progress, job.Stop);
        }
        finally
        {
            await ended.CancelAsync();
            await flushing;
        }

        if (result.Already > 0)
        {
            Log.Already(logger, job.Id, result.Already, result.Objects);
        }

        if (result.Failure is not null)
        {
            throw result.Failure;
        }

        journal.Sync();
    }

    private async Task FlushAsync(TreeJournal journal, LiveJob job, CancellationToken ended)
    {
        bool more = true;
        while (more)
        {
            try
            {
                await Task.Delay(JournalInterval, clock, ended);
            }
            catch (OperationCanceledException)
            {
                more = false;
            }

            try
            {
                await journal.FlushAsync();
            }
            catch (PelicanException e)
            {
                // These objects will be moved again, should it come to that.
                Log.CannotNote(logger, job.Id, e.Message);
            }
        }
    }

    // What happened must be kept, or it would be done again: a full disk is waited for until the daemon stops.
    private async Task<bool> NoteAsync(LiveJob job, TransferRow transfer, TransferEnd end)
    {
        RunningJob after;
        try
        {
            after = await new StorePatience(job.Id, logger, clock, job.Pausing)
                .WaitAsync(() => store.EndTransferAsync(job.Seq, transfer.Position, end, job.IsCancelled));
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        if (after.Current is not null)
        {
            job.GoOn(after);
            return true;
        }

        JobTokens.Forget(job.Options);
        string state = after.Job.State.Name();
        Log.Ended(logger, job.Id, state);
        return false;
    }

    // The rate wants a look each second, the disk one now and then.
    private async Task KeepAsync(LiveJob job, CancellationToken ended)
    {
        using PeriodicTimer timer = new(Tick, clock);
        long saved = clock.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                _ = job.Rate;
                if (clock.GetElapsedTime(saved) >= options.ProgressInterval)
                {
                    await SaveAsync(job);
                    saved = clock.GetTimestamp();
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The job has ended.
        }
    }

    private async Task SaveAsync(LiveJob job)
    {
        TransferRow transfer = job.Current;
        (string id, long bytes, long total) = job.Moving;
        try
        {
            if (total > 0 && id == transfer.Id)
            {
                await store.SaveProgressAsync(job.Seq, transfer.Position, bytes, total);
            }
        }
        catch (PelicanException e)
        {
            Log.CannotNote(logger, job.Id, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job} {State}.")]
        public static partial void Ended(ILogger logger, string job, string state);

        [LoggerMessage(Level = LogLevel.Error, Message = "Transfer {Transfer} of job {Job} met a fault of this program.")]
        public static partial void Broken(ILogger logger, Exception fault, string job, string transfer);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job}: {What}.")]
        public static partial void LeftOut(ILogger logger, string job, string what);

        [LoggerMessage(Level = LogLevel.Information, Message = "Job {Job}: {Already} of {Objects} objects were there already.")]
        public static partial void Already(ILogger logger, string job, long already, long objects);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} waits: {Why}.")]
        public static partial void Waits(ILogger logger, string job, string why);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot note what happened to job {Job}: {Fault}.")]
        public static partial void CannotNote(ILogger logger, string job, string fault);
    }
}
