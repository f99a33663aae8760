using System.Text.Json;
using Pelican.ClientApi;
using Pelican.Json;

namespace Pelican.Server;

/// <summary>Jobs as the API shows them: what is on the disk, and of what runs, the latest numbers.</summary>
internal static class JobViews
{
    /// <summary>The answer to a creation.</summary>
    public static JobCreated Created(JobRecord record) => new(record.Job.Id, JobState.Pending.Name(), record.Job.CreatedAt,
    [
        .. record.Transfers.Select(t => new CreatedTransfer(t.Id, t.Operation, t.Source, t.Destination, JobState.Pending.Name())),
    ]);

    /// <summary>A job in full.</summary>
    /// <param name="record">What is on the disk.</param>
    /// <param name="live">The job at work; null when it is not.</param>
    public static JobStatus Status(JobRecord record, LiveJob? live)
    {
        JobRow job = record.Job;
        TransferRow[] transfers = [.. record.Transfers.Select(transfer => Latest(transfer, live))];
        long bytes = Numbers.Sum(transfers, t => t.Bytes);
        return new JobStatus
        {
            JobId = job.Id,
            Status = job.State.Name(),
            CreatedAt = job.CreatedAt,
            StartedAt = job.StartedAt,
            CompletedAt = job.CompletedAt,
            Label = LabelOf(job),
            Progress = new JobProgress(
                bytes, Numbers.Sum(transfers, t => t.TotalBytes), Percentage(job.State, transfers),
                Rate(job.State, live, bytes, job.CompletedAt - job.StartedAt),
                job.TransfersCompleted, job.TransfersTotal, job.TransfersFailed, live is { Counters.Grows: true } && !job.State.IsFinal() ? true : null),
            Transfers = [.. transfers.Select(transfer => Transfer(job, transfer, live))],
            Error = job.Error,
            Sequence = job.Sequence,
        };
    }

    /// <summary>One transfer of a job; null when it has none of that id.</summary>
    public static TransferStatus? Transfer(JobRecord record, string transferId, LiveJob? live) =>
        record.Transfers.FirstOrDefault(t => t.Id == transferId) is { } transfer ? Transfer(record.Job, Latest(transfer, live), live) : null;

    /// <summary>A job in a list.</summary>
    public static JobListItem Item(JobRow job, LiveJob? live)
    {
        (long bytes, long total) = job.State == JobState.Running && live is { Moving.Total: > 0 } ? live.Sum : (job.Bytes, job.TotalBytes);
        return new JobListItem(
            job.Id, job.State.Name(), job.CreatedAt, job.TransfersCompleted, job.TransfersTotal, bytes, total,
            LabelOf(job), job.First?.Operation, job.First?.Source, job.First?.Destination);
    }

    private static string? LabelOf(JobRow job) =>
        job.Options is null ? null : JsonSerializer.Deserialize(job.Options, PelicanJson.Default.JobOptions)?.Label;

    private static TransferRow Latest(TransferRow transfer, LiveJob? live) =>
        transfer.State == JobState.Running && live?.Moving is { } moving && moving.Transfer == transfer.Id && moving.Total > 0
            ? transfer with { Bytes = moving.Bytes, TotalBytes = moving.Total }
            : transfer;

    private static TransferStatus Transfer(JobRow job, TransferRow transfer, LiveJob? live) => new()
    {
        TransferId = transfer.Id,
        JobId = job.Id,
        Operation = transfer.Operation,
        Source = transfer.Source,
        Destination = transfer.Destination,
        Recursive = transfer.Recursive,
        Status = transfer.State.Name(),
        CreatedAt = job.CreatedAt,
        StartedAt = transfer.StartedAt,
        CompletedAt = transfer.CompletedAt,
        BytesTransferred = transfer.Bytes,
        TotalBytes = transfer.TotalBytes,
        TransferRateMbps = Rate(transfer.State, live, transfer.Bytes, transfer.CompletedAt - transfer.StartedAt),
        Error = transfer.Error,
        Attempts = transfer.Attempts is null ? null : JsonSerializer.Deserialize(transfer.Attempts, PelicanJson.Default.IReadOnlyListAttemptStatus),
    };

    // One transfer of a job runs at a time: its rate is that of the job. What has ended shows its mean.
    private static double Rate(JobState state, LiveJob? live, long bytes, TimeSpan? took)
    {
        const double bitsPerByte = 8, mega = 1e6;
        return state == JobState.Running ? live?.Rate ?? 0
            : took is { Ticks: > 0 } time ? bytes * bitsPerByte / mega / time.TotalSeconds : 0;
    }

    // By bytes where all sizes are known; else each transfer counts the same, or a job would look finished before its last
    // transfers have begun.
    private static double Percentage(JobState state, TransferRow[] transfers)
    {
        // What failed at its last check, or is being checked, has all its bytes and is not complete.
        const double all = 100, incomplete = 99.9;
        if (state == JobState.Completed)
        {
            return all;
        }

        long total = Numbers.Sum(transfers, t => t.TotalBytes);
        bool known = total > 0 && transfers.All(t => t.TotalBytes > 0 || t.State.IsFinal());
        double part = known
            ? (double)Numbers.Sum(transfers, t => t.Bytes) / total
            : transfers.Average(t => t.State == JobState.Completed ? 1 : t.TotalBytes > 0 ? (double)t.Bytes / t.TotalBytes : 0);
        return Math.Clamp(part * all, 0, incomplete);
    }
}
