using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What becomes of jobs. Nothing ends before it began, even when the clock was set back meanwhile.</summary>
internal sealed partial class JobStore
{
    private const string IsUnfinished = "status IN ('pending', 'running')";

    /// <summary>
    /// Takes the job to run next: one that was interrupted, else the oldest that waits. It is running then, and so is its
    /// first transfer that is not final.
    /// </summary>
    /// <param name="running">Jobs that run already, by <see cref="JobRow.Seq"/>.</param>
    /// <param name="now">The time.</param>
    /// <returns>Null when nothing waits.</returns>
    public Task<RunningJob?> TakeAsync(IReadOnlyCollection<long> running, DateTimeOffset now) => _queue.WriteAsync(file =>
    {
        JobRow? next = Oldest(file, JobState.Running, running) ?? Oldest(file, JobState.Pending, running);
        if (next is null)
        {
            return null;
        }

        if (next.State == JobState.Pending)
        {
            file.Execute("""
                UPDATE jobs SET status = 'running', started_at = max($2, created_at), sequence = sequence + 1, started_sequence = sequence + 1 WHERE seq = $1
                """, next.Seq, Time(now));
        }

        return StartNext(file, next.Seq, after: -1, now) is { } current ? new RunningJob(BySeq(file, next.Seq), current)
            : throw new PelicanException(Errors.Internal, $"job {next.Id} is not final although all its transfers are");
    });

    /// <summary>Notes that a transfer ended, and with it, unless more is to be done, the job.</summary>
    /// <param name="job"><see cref="JobRow.Seq"/>.</param>
    /// <param name="position">Its place.</param>
    /// <param name="end">How it ended.</param>
    /// <param name="cancelRest">What is left is cancelled.</param>
    /// <returns>The job: final, or with the next transfer running.</returns>
    public Task<RunningJob> EndTransferAsync(long job, int position, TransferEnd end, bool cancelRest) => _queue.WriteAsync(file =>
    {
        Add(file, job, position, end.Bytes, end.TotalBytes);
        file.Execute("""
            UPDATE jobs SET sequence = sequence + 1, transfers_completed = transfers_completed + $2, transfers_failed = transfers_failed + $3
            WHERE seq = $1
            """, job, end.State == JobState.Completed, end.State == JobState.Failed);
        file.Execute("""
            UPDATE transfers SET status = $3, completed_at = max($4, started_at), error = $5, attempts = $6,
                completed_sequence = (SELECT sequence FROM jobs WHERE seq = $1)
            WHERE job = $1 AND position = $2
            """, job, position, end.State.Name(), Time(end.At), end.Error, end.Attempts);
        file.Execute("DELETE FROM objects WHERE job = $1 AND position = $2", job, position);
        if (cancelRest)
        {
            CancelTransfers(file, job, end.At);
        }

        TransferRow? next = StartNext(file, job, position, end.At);
        if (next is null)
        {
            EndJob(file, job, end.At);
        }

        return new RunningJob(BySeq(file, job), next);
    });

    /// <summary>Cancels a job that does not run.</summary>
    /// <returns>The job as it is then, final before or by this; null when there is none of that id.</returns>
    public Task<JobRecord?> CancelAsync(string id, DateTimeOffset now) => _queue.WriteAsync(file =>
    {
        if (Find(file, id) is not { } found || found.Job.State.IsFinal())
        {
            return Find(file, id);
        }

        CancelTransfers(file, found.Job.Seq, now);
        file.Execute("DELETE FROM objects WHERE job = $1", found.Job.Seq);
        EndJob(file, found.Job.Seq, now);
        return Find(file, id);
    });

    /// <summary>Keeps the numbers of a running transfer, and those of its job.</summary>
    public Task SaveProgressAsync(long job, int position, long bytes, long totalBytes) => _queue.WriteAsync(file =>
    {
        // It may have ended since these numbers were taken.
        bool runs = file.Number("SELECT 1 FROM transfers WHERE job = $1 AND position = $2 AND status = 'running'", job, position) is not null;
        if (runs)
        {
            Add(file, job, position, bytes, totalBytes);
        }

        return runs;
    });

    /// <summary>Notes that an upload is about to send, or that it was stopped and has left nothing.</summary>
    public Task<int> ClaimAsync(long job, int position, bool claimed = true) => _queue.WriteAsync(file =>
        file.Execute("UPDATE transfers SET claimed = $3 WHERE job = $1 AND position = $2", job, position, claimed));

    /// <summary>Removes a job that is final.</summary>
    /// <returns>Its state; null when there is none of that id. Unless that is final, it is still there.</returns>
    public Task<JobState?> RemoveAsync(string id) => _queue.WriteAsync<JobState?>(file =>
    {
        if (Find(file, id) is not { Job: var job })
        {
            return null;
        }

        if (job.State.IsFinal())
        {
            file.Execute("DELETE FROM jobs WHERE seq = $1", job.Seq);
        }

        return job.State;
    });

    /// <summary>
    /// Removes jobs that ended before a time, unless they were submitted after one that was submitted later than that: then
    /// the clock was wrong when they ended.
    /// </summary>
    /// <param name="before">That time.</param>
    /// <param name="most">Most jobs removed by one call, lest others wait for it.</param>
    /// <returns>Jobs removed.</returns>
    public Task<int> PruneAsync(DateTimeOffset before, int most) => _queue.WriteAsync(file =>
    {
        List<long> old = file.Query("""
            SELECT seq FROM jobs WHERE completed_at < $1
                AND seq < ifnull((SELECT seq FROM jobs WHERE created_at >= $1 ORDER BY created_at LIMIT 1), 1 << 62)
            ORDER BY completed_at LIMIT $2
            """, row => row.GetInt64(0), Time(before), most);
        old.ForEach(seq => file.Execute("DELETE FROM jobs WHERE seq = $1", seq));
        return old.Count;
    });

    private static JobRow? Oldest(JobStoreFile file, JobState state, IReadOnlyCollection<long> running) =>
        file.Query($"SELECT {JobColumns} FROM jobs WHERE status = '{state.Name()}' AND {IsUnfinished} ORDER BY seq LIMIT $1", Job, running.Count + 1)
            .Find(job => !running.Contains(job.Seq));

    private static JobRow BySeq(JobStoreFile file, long seq) => file.Query($"SELECT {JobColumns} FROM jobs WHERE seq = $1", Job, seq)[0];

    // Null when nothing is left to be done. One that was interrupted is running already.
    private static TransferRow? StartNext(JobStoreFile file, long job, int after, DateTimeOffset now)
    {
        if (file.Query($"SELECT position, status FROM transfers WHERE job = $1 AND position > $2 AND {IsUnfinished} ORDER BY position LIMIT 1",
            row => (Position: row.GetInt32(0), Status: row.GetString(1)), job, after) is not [var next])
        {
            return null;
        }

        if (next.Status == JobState.Pending.Name())
        {
            file.Execute("UPDATE jobs SET sequence = sequence + 1 WHERE seq = $1", job);
            file.Execute("""
                UPDATE transfers SET status = 'running', started_at = max($3, (SELECT created_at FROM jobs WHERE seq = $1)),
                    started_sequence = (SELECT sequence FROM jobs WHERE seq = $1)
                WHERE job = $1 AND position = $2
                """, job, next.Position, Time(now));
        }

        return file.Query($"SELECT {TransferColumns} FROM transfers WHERE job = $1 AND position = $2", Transfer, job, next.Position)[0];
    }

    // Each has a number of its own, so that whoever reads the events can go on from any of them.
    private static void CancelTransfers(JobStoreFile file, long job, DateTimeOffset now)
    {
        file.Execute($"""
            UPDATE transfers SET status = 'cancelled',
                error = CASE WHEN error IS NOT NULL THEN error
                    WHEN claimed THEN 'it was interrupted while it was uploaded: an incomplete object may be left at the destination'
                    WHEN operation <> 'get' AND source NOT LIKE '%://%' THEN
                        (SELECT 'it was interrupted while it was uploaded: ' || count(*) || ' objects may be incomplete, such as ''' || min(path) || ''''
                        FROM objects WHERE objects.job = transfers.job AND objects.position = transfers.position AND done = 0 HAVING count(*) > 0) END,
                completed_at = max($2, ifnull(started_at, 0), (SELECT created_at FROM jobs WHERE seq = $1)),
                completed_sequence = (SELECT sequence FROM jobs WHERE seq = $1) + position + 1
            WHERE job = $1 AND {IsUnfinished}
            """, job, Time(now));
        file.Execute("""
            UPDATE jobs SET sequence = max(sequence, (SELECT ifnull(max(completed_sequence), 0) FROM transfers WHERE job = $1)) WHERE seq = $1
            """, job);
    }

    private static void EndJob(JobStoreFile file, long job, DateTimeOffset now)
    {
        (int cancelled, int failed, int all) = file.Query("""
            SELECT ifnull(sum(status = 'cancelled'), 0), ifnull(sum(status = 'failed'), 0), count(*) FROM transfers WHERE job = $1
            """, row => (row.GetInt32(0), row.GetInt32(1), row.GetInt32(2)), job)[0];
        string? why = failed == 0 ? null
            : file.Query("SELECT error FROM transfers WHERE job = $1 AND status = 'failed' ORDER BY position LIMIT 1", row => TextOrNull(row, 0), job)[0];
        JobState state = cancelled > 0 ? JobState.Cancelled : failed > 0 ? JobState.Failed : JobState.Completed;
        string? error = failed == 0 ? null : FormattableString.Invariant($"{failed} of {all} transfers failed; the first: {why}");
        file.Execute("""
            UPDATE jobs SET status = $2, error = $3, sequence = sequence + 1, completed_sequence = sequence + 1,
                completed_at = max($4, created_at, (SELECT max(completed_at) FROM transfers WHERE job = $1))
            WHERE seq = $1
            """, job, state.Name(), error, Time(now));
    }

    // By difference: a job may have very many transfers.
    private static void Add(JobStoreFile file, long job, int position, long bytes, long totalBytes)
    {
        file.Execute("""
            UPDATE jobs SET bytes = CAST(min(jobs.bytes - t.bytes + $3, 9223372036854775807) AS INTEGER),
                total_bytes = CAST(min(jobs.total_bytes - t.total_bytes + $4, 9223372036854775807) AS INTEGER)
            FROM transfers t WHERE seq = $1 AND t.job = $1 AND t.position = $2
            """, job, position, bytes, totalBytes);
        file.Execute("UPDATE transfers SET bytes = $3, total_bytes = $4 WHERE job = $1 AND position = $2", job, position, bytes, totalBytes);
    }
}
