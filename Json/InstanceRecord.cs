namespace Pelican.Json;

/// <summary>
/// Who serves an instance of the Client API: the file <c>client-api.json</c> beside the PID file. Several hosts may share
/// the directory; the file's modification time says when its owner last had its hand on it.
/// </summary>
internal sealed record InstanceRecord
{
    /// <summary>Of this run of the daemon alone: whoever finds another one here has lost the instance.</summary>
    public required string Id { get; init; }

    /// <summary>Host name.</summary>
    public required string Host { get; init; }

    /// <summary>Of this run of the host, by <c>/proc/sys/kernel/random/boot_id</c>; empty where unknown.</summary>
    public required string BootId { get; init; }

    /// <summary>Process id, on that host.</summary>
    public required int Pid { get; init; }

    /// <summary>When the process started, in clock ticks since the host did; null where unknown.</summary>
    public long? StartTicks { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required string Version { get; init; }

    public required string Socket { get; init; }

    public required string PidFile { get; init; }

    public required string Database { get; init; }

    /// <summary>Null when it logs to standard error.</summary>
    public string? LogFile { get; init; }

    /// <summary>The command that it was started by, and its options, as words that mean the same in any directory: a restart has them too.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];
}
