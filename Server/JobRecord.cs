namespace Pelican.Server;

/// <summary>A job as it is on the disk, without its transfers.</summary>
internal sealed record JobRow
{
    /// <summary>Order of submission.</summary>
    public required long Seq { get; init; }

    public required string Id { get; init; }

    public required JobState State { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>The options of the request, JSON; null for none.</summary>
    public string? Options { get; init; }

    public string? Error { get; init; }

    /// <summary>Number of the last change of state.</summary>
    public required long Sequence { get; init; }

    public long? StartedSequence { get; init; }

    public long? CompletedSequence { get; init; }

    public required int TransfersTotal { get; init; }

    public int TransfersCompleted { get; init; }

    public int TransfersFailed { get; init; }

    public long Bytes { get; init; }

    public long TotalBytes { get; init; }

    /// <summary>Operation and ends of its first transfer; null but in lists.</summary>
    public FirstTransfer? First { get; init; }
}

/// <summary>What the first transfer of a job moves.</summary>
/// <param name="Operation">As in the request.</param>
/// <param name="Source">As in the request.</param>
/// <param name="Destination">As in the request.</param>
internal sealed record FirstTransfer(string Operation, string Source, string? Destination);

/// <summary>A transfer as it is on the disk.</summary>
internal sealed record TransferRow
{
    /// <summary>Place in its job, from 0.</summary>
    public required int Position { get; init; }

    public required string Id { get; init; }

    public required string Operation { get; init; }

    public required string Source { get; init; }

    public string? Destination { get; init; }

    public bool Recursive { get; init; }

    public JobState State { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    public long? StartedSequence { get; init; }

    public long? CompletedSequence { get; init; }

    /// <summary>Object bytes in place.</summary>
    public long Bytes { get; init; }

    /// <summary>Bytes wanted; 0 while unknown.</summary>
    public long TotalBytes { get; init; }

    /// <summary>Whether an upload was about to send: what is there now may be its own.</summary>
    public bool Claimed { get; init; }

    public string? Error { get; init; }

    /// <summary>Attempts, JSON; null when there was none.</summary>
    public string? Attempts { get; init; }
}

/// <summary>A job with its transfers, in order.</summary>
internal sealed record JobRecord(JobRow Job, IReadOnlyList<TransferRow> Transfers);

/// <summary>A job at work.</summary>
/// <param name="Job">The job.</param>
/// <param name="Current">The transfer that runs; null when the job is final.</param>
internal sealed record RunningJob(JobRow Job, TransferRow? Current);

/// <summary>A job to create.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CreatedAt">Now.</param>
/// <param name="Options">Options of the request, JSON; null for none.</param>
/// <param name="Transfers">Its transfers.</param>
/// <param name="Key">Idempotency key; null for none.</param>
/// <param name="Digest">Digest of the request; null without a key.</param>
internal sealed record NewJob(
    string Id, DateTimeOffset CreatedAt, string? Options, IReadOnlyList<TransferRow> Transfers, string? Key = null, byte[]? Digest = null);

/// <summary>What a creation led to.</summary>
/// <param name="Job">The new job, or the one that the key led to before.</param>
/// <param name="SameRequest">False when the key was used for another request: nothing was created.</param>
/// <param name="Created">Whether the job is new.</param>
internal sealed record Creation(JobRecord Job, bool SameRequest, bool Created);

/// <summary>Which jobs are wanted.</summary>
internal sealed record JobFilter
{
    /// <summary>States wanted; null for all, empty for none.</summary>
    public IReadOnlyList<JobState>? States { get; init; }

    /// <summary>Earliest time of creation (in the history: of the end), that time included.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Latest time, included.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>The page begins after this job; null for the first page.</summary>
    public JobCursor? After { get; init; }

    /// <summary>Jobs passed over.</summary>
    public long Offset { get; init; }

    /// <summary>Most jobs on the page.</summary>
    public required int Limit { get; init; }
}

/// <summary>A place in the list of jobs.</summary>
/// <param name="CreatedAt">Time of the last job shown.</param>
/// <param name="Id">Its id.</param>
internal sealed record JobCursor(DateTimeOffset CreatedAt, string Id);

/// <summary>A page of jobs.</summary>
/// <param name="Jobs">Newest first.</param>
/// <param name="Total">Jobs that the filter lets through, whatever the page.</param>
/// <param name="More">Whether another page follows.</param>
internal sealed record JobPage(IReadOnlyList<JobRow> Jobs, long Total, bool More);

/// <summary>How a transfer ended.</summary>
/// <param name="State">A final state.</param>
/// <param name="At">When.</param>
/// <param name="Bytes">Object bytes in place.</param>
/// <param name="TotalBytes">Size of what was wanted; 0 when unknown.</param>
/// <param name="Error">Why it failed; null unless it did.</param>
/// <param name="Attempts">Attempts, JSON; null for none.</param>
internal sealed record TransferEnd(
    JobState State, DateTimeOffset At, long Bytes = 0, long TotalBytes = 0, string? Error = null, string? Attempts = null);
