using System.Text.Json.Serialization;

namespace Pelican.Json;

/// <summary>Answer to <c>GET history</c>: jobs that are final, the last to end first.</summary>
/// <param name="Jobs">The page; empty, never null.</param>
/// <param name="Total">Jobs that the filter lets through.</param>
/// <param name="Limit">Page size in force.</param>
/// <param name="Offset">Jobs passed over.</param>
internal sealed record HistoryList(IReadOnlyList<HistoryItem> Jobs, long Total, int Limit, long Offset);

/// <summary>A past job, by the names of today's servers (client-api.md 3).</summary>
internal sealed record HistoryItem
{
    [JsonPropertyName("ID")]
    public required string Id { get; init; }

    [JsonPropertyName("Status")]
    public required string Status { get; init; }

    /// <summary>Seconds since 1970.</summary>
    [JsonPropertyName("CreatedAt")]
    public required long CreatedAt { get; init; }

    [JsonPropertyName("StartedAt"), JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public DateTimeOffset? StartedAt { get; init; }

    [JsonPropertyName("CompletedAt"), JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Empty when nothing went wrong.</summary>
    [JsonPropertyName("ErrorMessage")]
    public string ErrorMessage { get; init; } = "";

    /// <summary>Always 0: a job that goes on is no retry.</summary>
    [JsonPropertyName("RetryCount")]
    public int RetryCount { get; init; }

    [JsonPropertyName("TransfersCompleted")]
    public int TransfersCompleted { get; init; }

    [JsonPropertyName("TransfersFailed")]
    public int TransfersFailed { get; init; }

    [JsonPropertyName("TransfersTotal")]
    public int TransfersTotal { get; init; }

    [JsonPropertyName("BytesTransferred")]
    public long BytesTransferred { get; init; }

    [JsonPropertyName("TotalBytes")]
    public long TotalBytes { get; init; }
}

/// <summary>Answer to <c>DELETE history/{id}</c>.</summary>
internal sealed record HistoryRemoved(string Message, string JobId);
