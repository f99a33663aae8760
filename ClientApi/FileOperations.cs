namespace Pelican.ClientApi;

/// <summary>Body of <c>POST stat</c> and <c>POST list</c>.</summary>
public sealed record UrlRequest(string Url, JobOptions? Options = null);

/// <summary>Body of <c>POST delete</c>.</summary>
public sealed record DeleteRequest(string Url, bool Recursive = false, JobOptions? Options = null);

/// <summary>Answer to <c>POST stat</c>.</summary>
public sealed record StatAnswer(
    string Name, long Size, bool IsCollection, DateTimeOffset? ModTime = null, IReadOnlyDictionary<string, string>? Checksums = null);

/// <summary>Answer to <c>POST list</c>.</summary>
public sealed record ListAnswer(IReadOnlyList<StatAnswer> Items);

/// <summary>Answer to <c>POST delete</c>.</summary>
public sealed record DeleteAnswer(string Message, string Url);

/// <summary>Answer to <c>GET /health</c>.</summary>
public sealed record Health
{
    public required string Status { get; init; }

    public required string Version { get; init; }

    public required long UptimeSeconds { get; init; }

    /// <summary>Process id of the daemon.</summary>
    public int Pid { get; init; }

    public string? Host { get; init; }

    /// <summary>Path of the database.</summary>
    public string? Database { get; init; }
}

/// <summary>Answer that only says something.</summary>
public sealed record MessageAnswer(string Message);

/// <summary>Every answer that is an error.</summary>
/// <param name="Error">What happened, for people.</param>
/// <param name="Code">Class of the error (specification, Error Codes).</param>
/// <param name="Retryable">Whether the same request can succeed later.</param>
/// <param name="Detail">What to do next; null when there is nothing to say.</param>
public sealed record ApiError(string Error, string Code, bool Retryable = false, string? Detail = null);
