using System.Text.Json.Serialization;

namespace Pelican.ClientApi;

/// <summary>Body of <c>POST stat</c> and <c>POST list</c>.</summary>
/// <param name="Url">Object or collection.</param>
/// <param name="Options">Null for the defaults.</param>
public sealed record UrlRequest(string Url, JobOptions? Options = null);

/// <summary>Body of <c>POST delete</c>.</summary>
/// <param name="Url">Object or collection.</param>
/// <param name="Recursive">Whether a collection goes with all that is in it.</param>
/// <param name="Options">Null for the defaults.</param>
public sealed record DeleteRequest(string Url, bool Recursive = false, JobOptions? Options = null);

/// <summary>Answer to <c>POST stat</c>.</summary>
/// <param name="Name">Last part of the path.</param>
/// <param name="Size">Bytes; 0 for a collection; null when the server does not say.</param>
/// <param name="IsCollection">Whether it is a collection.</param>
/// <param name="ModTime">Time of the last change; null when no server says.</param>
/// <param name="Checksums">Hexadecimal, by algorithm; null for none.</param>
public sealed record StatAnswer(
    string Name, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? Size, bool IsCollection, DateTimeOffset? ModTime = null, IReadOnlyDictionary<string, string>? Checksums = null);

/// <summary>Answer to <c>POST list</c>.</summary>
/// <param name="Items">What is in the collection; empty, never null.</param>
public sealed record ListAnswer(IReadOnlyList<StatAnswer> Items);

/// <summary>Answer to <c>POST delete</c>.</summary>
/// <param name="Message">What was done.</param>
/// <param name="Url">As in the request.</param>
public sealed record DeleteAnswer(string Message, string Url);

/// <summary>Answer to <c>GET /health</c>.</summary>
public sealed record Health
{
    /// <summary><c>ok</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Version of the program.</summary>
    public required string Version { get; init; }

    /// <summary>Seconds since the server started.</summary>
    public required long UptimeSeconds { get; init; }

    /// <summary>Process id of the daemon.</summary>
    public int Pid { get; init; }

    /// <summary>Name of the host it runs on.</summary>
    public string? Host { get; init; }

    /// <summary>Path of the database.</summary>
    public string? Database { get; init; }
}

/// <summary>Answer that only says something.</summary>
/// <param name="Message">What it says.</param>
public sealed record MessageAnswer(string Message);

/// <summary>Every answer that is an error.</summary>
/// <param name="Error">What happened, for people.</param>
/// <param name="Code">Class of the error (specification, Error Codes).</param>
/// <param name="Retryable">Whether the same request can succeed later.</param>
/// <param name="Detail">What to do next; null when there is nothing to say.</param>
public sealed record ApiError(string Error, string Code, bool Retryable = false, string? Detail = null);
