namespace Pelican.Json;

/// <summary>What a daemon that was started detached tells whoever started it, once, over a pipe: one of its members.</summary>
internal sealed record StartReport
{
    /// <summary>The instance that answers now; null when it could not start.</summary>
    public InstanceRecord? Started { get; init; }

    /// <summary>Why it could not start; null when it did.</summary>
    public StartFailure? Failure { get; init; }
}

/// <summary>Why a daemon could not start.</summary>
internal sealed record StartFailure
{
    /// <summary>What happened, one line.</summary>
    public required string Error { get; init; }

    /// <summary>Number in the table of errors.</summary>
    public required int Code { get; init; }

    /// <summary>Whether the same command can succeed later.</summary>
    public required bool Retryable { get; init; }

    /// <summary>What can be done about it; null when there is nothing to say.</summary>
    public string? NextStep { get; init; }
}

/// <summary>The Client API server, as <c>client-api serve|status|stop</c> print it with <c>--json</c>. What is not known is absent.</summary>
internal sealed record ServerReport
{
    /// <summary>Whether it answers.</summary>
    public required bool Running { get; init; }

    public required string Socket { get; init; }

    /// <summary>Its process: one that runs, does not answer, was stopped, or is on another host.</summary>
    public int? Pid { get; init; }

    /// <summary>Host that it runs on.</summary>
    public string? Host { get; init; }

    public string? Version { get; init; }

    public long? UptimeSeconds { get; init; }

    public string? PidFile { get; init; }

    public string? Database { get; init; }

    public string? LogFile { get; init; }
}
