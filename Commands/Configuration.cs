using Microsoft.Extensions.Logging;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Everything that flags, environment and files settle before a command begins.</summary>
internal sealed record Configuration
{
    /// <summary>What the transfers want to know.</summary>
    public ClientSettings Client { get; init; } = new();

    /// <summary><c>Logging.Level</c>: the least important thing that is told.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary><c>Logging.LogLocation</c>, absolute; null to log to standard error.</summary>
    public string? LogFile { get; init; }

    /// <summary>Whether a display of running transfers is wanted (not <c>Logging.Client.DisableProgressBars</c>).</summary>
    public bool ProgressBars { get; init; } = true;

    /// <summary>What the user should know about the settings, a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The same, for <c>--debug</c> only: settings of servers, and settings that change nothing here.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
