using System.Text.Json.Serialization;

namespace Pelican.ClientApi;

/// <summary>States of jobs and transfers.</summary>
public static class JobStates
{
    /// <summary>It waits for its turn.</summary>
    public const string Pending = "pending";

    /// <summary>It is being done.</summary>
    public const string Running = "running";

    /// <summary>It ended well.</summary>
    public const string Completed = "completed";

    /// <summary>It ended badly.</summary>
    public const string Failed = "failed";

    /// <summary>It was stopped by its user.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>Every state.</summary>
    public static IReadOnlyList<string> All { get; } = [Pending, Running, Completed, Failed, Cancelled];

    /// <summary>Whether what is in this state stays in it.</summary>
    public static bool IsFinal(string status) => status is Completed or Failed or Cancelled;
}

/// <summary>Answer to <c>POST jobs</c>.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Status">Usually <c>pending</c>.</param>
/// <param name="CreatedAt">When it was handed over.</param>
/// <param name="Transfers">Its transfers, in the order of the request.</param>
public sealed record JobCreated(string JobId, string Status, DateTimeOffset CreatedAt, IReadOnlyList<CreatedTransfer> Transfers);

/// <summary>A transfer of a new job.</summary>
/// <param name="TransferId">The transfer.</param>
/// <param name="Operation">As in the request.</param>
/// <param name="Source">As in the request.</param>
/// <param name="Destination">As in the request.</param>
/// <param name="Status">Usually <c>pending</c>.</param>
public sealed record CreatedTransfer(string TransferId, string Operation, string Source, string? Destination = null, string Status = "pending");

/// <summary>Answer to <c>GET jobs/{id}</c>.</summary>
public sealed record JobStatus
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary><c>pending</c>, <c>running</c>, <c>completed</c>, <c>failed</c> or <c>cancelled</c>.</summary>
    public required string Status { get; init; }

    /// <summary>When it was handed over.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its first transfer began; null before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended; null before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>The name that it was given; null for none.</summary>
    public string? Label { get; init; }

    /// <summary>How far it is.</summary>
    public required JobProgress Progress { get; init; }

    /// <summary>Its transfers, in the order of the request.</summary>
    public required IReadOnlyList<TransferStatus> Transfers { get; init; }

    /// <summary>Why it failed: how many of how many, and the first reason; null unless it did.</summary>
    public string? Error { get; init; }

    /// <summary>Sequence number of the job's last change, for <c>?since=</c>.</summary>
    public long Sequence { get; init; }
}

/// <summary>Numbers of a job, over all its transfers.</summary>
/// <param name="BytesTransferred">Object bytes in place.</param>
/// <param name="TotalBytes">Bytes known to be wanted; grows while a tree is still being walked.</param>
/// <param name="Percentage">0 to 100, which only a completed job has.</param>
/// <param name="TransferRateMbps">10⁶ bits a second: a moving average, and of what has ended the mean.</param>
/// <param name="TransfersCompleted">Transfers that ended well.</param>
/// <param name="TransfersTotal">Transfers of the job.</param>
/// <param name="TransfersFailed">Transfers that ended badly.</param>
/// <param name="TotalsGrow">True while a tree is still being walked, and more will be found; else null.</param>
public sealed record JobProgress(
    long BytesTransferred, long TotalBytes, double Percentage, double TransferRateMbps,
    int TransfersCompleted, int TransfersTotal, int TransfersFailed, bool? TotalsGrow = null);

/// <summary>One transfer of a job.</summary>
public sealed record TransferStatus
{
    /// <summary>The transfer.</summary>
    public required string TransferId { get; init; }

    /// <summary>Its job.</summary>
    public required string JobId { get; init; }

    /// <summary><c>get</c>, <c>put</c>, <c>copy</c> or <c>prestage</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>As in the request.</summary>
    public required string Source { get; init; }

    /// <summary>As in the request; null for <c>prestage</c> alone.</summary>
    public string? Destination { get; init; }

    /// <summary>As in the request.</summary>
    public bool Recursive { get; init; }

    /// <summary>One of <see cref="JobStates"/>.</summary>
    public required string Status { get; init; }

    /// <summary>When its job was handed over.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it began; null before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended; null before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Object bytes in place.</summary>
    public long BytesTransferred { get; init; }

    /// <summary>Bytes known to be wanted; 0 while unknown.</summary>
    public long TotalBytes { get; init; }

    /// <summary>10⁶ bits a second: a moving average, and of what has ended the mean.</summary>
    public double TransferRateMbps { get; init; }

    /// <summary>Why it failed; null unless it did.</summary>
    public string? Error { get; init; }

    /// <summary>
    /// What was tried, oldest first, at most a hundred attempts: of a tree, only for the objects that failed, or did not
    /// succeed at once. Null before the end, and when nothing was tried.
    /// </summary>
    public IReadOnlyList<AttemptStatus>? Attempts { get; init; }
}

/// <summary>One try at one server.</summary>
/// <param name="Server">Host and port; empty when it failed before any server was asked.</param>
/// <param name="Bytes">Object bytes that it moved.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Error">Why it ended; null when it succeeded.</param>
/// <param name="Path">Path of the object below the top of its tree; null when the transfer is of one object.</param>
public sealed record AttemptStatus(string Server, long Bytes, double Seconds, string? Error = null, string? Path = null);

/// <summary>Answer to <c>GET jobs</c>: newest first.</summary>
/// <param name="Jobs">The page; empty, never null.</param>
/// <param name="Total">Jobs that the filter lets through.</param>
/// <param name="Limit">Page size in force.</param>
/// <param name="Offset">Jobs passed over.</param>
/// <param name="Next">Cursor of the next page; null on the last.</param>
public sealed record JobList(IReadOnlyList<JobListItem> Jobs, long Total, int Limit, long Offset, string? Next = null);

/// <summary>A job in a list.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Status">One of <see cref="JobStates"/>.</param>
/// <param name="CreatedAt">When it was handed over.</param>
/// <param name="TransfersCompleted">Transfers that ended well.</param>
/// <param name="TransfersTotal">Transfers of the job.</param>
/// <param name="BytesTransferred">Object bytes in place.</param>
/// <param name="TotalBytes">Bytes known to be wanted.</param>
/// <param name="Label">The name that it was given; null for none.</param>
/// <param name="Operation">Of its first transfer, as in the request.</param>
/// <param name="Source">Of its first transfer, as in the request.</param>
/// <param name="Destination">Of its first transfer, as in the request.</param>
public sealed record JobListItem(
    string JobId, string Status, DateTimeOffset CreatedAt, int TransfersCompleted, int TransfersTotal, long BytesTransferred, long TotalBytes,
    string? Label = null, string? Operation = null, string? Source = null, string? Destination = null);

/// <summary>Answer to <c>DELETE jobs/{id}</c>.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Status"><c>cancelled</c>.</param>
/// <param name="Message">What was done.</param>
/// <param name="TransfersCancelled">Transfers that were stopped, or never begun.</param>
/// <param name="TransfersCompleted">Transfers that had ended well.</param>
public sealed record JobCancelled(
    string JobId, string Status = JobStates.Cancelled, string Message = "", int TransfersCancelled = 0, int TransfersCompleted = 0);

/// <summary>Answer to <c>DELETE history?older_than=</c>.</summary>
/// <param name="Message">What was done.</param>
/// <param name="Pruned">Jobs removed.</param>
public sealed record HistoryPruned(string Message, int Pruned);
