namespace Pelican.Json;

/// <summary>What a daemon that was started detached tells whoever started it, once, over a pipe.</summary>
/// <param name="Started">The instance that answers now; null when it could not start.</param>
/// <param name="Error">Why it could not; null when it did.</param>
internal sealed record StartReport(InstanceRecord? Started = null, ErrorReport? Error = null);

/// <summary>The Client API server, as <c>client-api serve|status|stop</c> print it with <c>--json</c>. What is not known is absent.</summary>
internal sealed record ServerReport
{
    public required bool Running { get; init; }

    public required string Socket { get; init; }

    public int? Pid { get; init; }

    /// <summary>Host that it runs on.</summary>
    public string? Host { get; init; }

    public string? Version { get; init; }

    public long? UptimeSeconds { get; init; }

    public string? PidFile { get; init; }

    public string? Database { get; init; }

    public string? LogFile { get; init; }
}
