namespace Pelican.Server;

/// <summary>State of a job or of a transfer; the last three are final.</summary>
internal enum JobState
{
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// <summary>States by name, as they travel and are stored.</summary>
internal static class JobStates
{
    private static readonly string[] Names = ["pending", "running", "completed", "failed", "cancelled"];

    /// <summary>Name of a state.</summary>
    public static string Name(this JobState state) => Names[(int)state];

    /// <summary>Whether nothing changes any more.</summary>
    public static bool IsFinal(this JobState state) => state >= JobState.Completed;

    /// <summary>The state of a name; null when there is none of that name.</summary>
    public static JobState? Parse(string name) => Array.IndexOf(Names, name) is >= 0 and int state ? (JobState)state : null;
}
