using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What a job table is told when it opens.</summary>
internal sealed record JobTableOptions
{
    /// <summary>Absolute path of the database.</summary>
    public required string Database { get; init; }

    /// <summary>Jobs that run at once; at least 1.</summary>
    public int MaxJobs { get; init; } = 5;

    /// <summary>Days for which final jobs are kept; 0 for ever.</summary>
    public int HistoryRetentionDays { get; init; } = 30;

    /// <summary>Mode of new local files for requests that bring no umask.</summary>
    public UnixFileMode DefaultFileMode { get; init; } = new TransferOptions().FileMode;

    /// <summary>Settings that the client has too: the federation of paths without a scheme.</summary>
    public ClientSettings Settings { get; init; } = new();

    /// <summary>Knows secrets, which never reach the database.</summary>
    public Redactor Redactor { get; init; } = new();

    /// <summary>How long a job rests before it tries again what is no fault of its own.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the numbers of running transfers are kept.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(5);
}
