using Microsoft.Extensions.Logging;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Everything that flags, environment and files settle before a command begins.</summary>
internal sealed record Configuration
{
    /// <summary><c>--config</c>, absolute; null when not given.</summary>
    public string? File { get; init; }

    /// <summary>What the transfers want to know.</summary>
    public ClientSettings Client { get; init; } = new();

    /// <summary><c>Logging.Level</c>: the least important thing that is told.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary><c>Logging.LogLocation</c>, absolute; null to log to standard error.</summary>
    public string? LogFile { get; init; }

    /// <summary>Whether a display of running transfers is wanted (not <c>Logging.Client.DisableProgressBars</c>).</summary>
    public bool ProgressBars { get; init; } = true;

    /// <summary>Of the Client API server.</summary>
    public ServerSettings Server { get; init; } = new();

    /// <summary>What the user should know about the settings, a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The same, for <c>--debug</c> only: settings of servers, and settings that change nothing here.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>Settings of the Client API server; each property names its parameter.</summary>
internal sealed record ServerSettings
{
    /// <summary><c>ClientApi.Socket</c> and <c>PELICAN_CLIENT_API_SOCKET</c>, <c>ClientApi.PidFile</c>, <c>ClientApi.DbLocation</c>; absolute.</summary>
    public InstanceChoice Files { get; init; } = new();

    /// <summary><c>ClientApi.MaxConcurrentJobs</c>: jobs that run at once.</summary>
    public int MaxJobs { get; init; } = 5;

    /// <summary><c>ClientApi.IdleTimeout</c>: time without requests and jobs after which it ends; zero for never, null where nothing is said.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary><c>ClientApi.HistoryRetentionDays</c>: days for which jobs that are over are kept; 0 for ever.</summary>
    public int HistoryRetentionDays { get; init; } = 30;
}
