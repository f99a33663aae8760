using System.Globalization;
using Pelican.ClientApi;
using Pelican.Json;

namespace Pelican.Server;

/// <summary>The host this runs on, told apart from others that share a home directory with it.</summary>
/// <param name="Name">Host name.</param>
/// <param name="BootId">Of this run of the host; empty where unknown.</param>
internal sealed record HostIdentity(string Name, string BootId)
{
    private const string NameFile = "/proc/sys/kernel/hostname";
    private const string BootFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>The name as a part of a file name: of the host's own socket, which clients look for.</summary>
    public string FileName => ApiSocket.FileName(Name);

    /// <summary>Asks the kernel.</summary>
    public static HostIdentity Read() => new(
        Line(NameFile) is { Length: > 0 } name ? name : Environment.MachineName, Line(BootFile));

    /// <summary>
    /// Whether a record's process runs on this host now, and is not another one that got its number later. Nothing is
    /// known of other hosts' processes; and only whether it is there, where /proc was not to be had.
    /// </summary>
    public bool Runs(InstanceRecord record) =>
        record.Host == Name && record.BootId == BootId
        && (record.StartTicks is { } ticks ? StartTicks(record.Pid) == ticks : SystemCalls.Kill(record.Pid, 0) == 0);

    /// <summary>When a process started, in clock ticks since the host did; null when there is none, or only its remains.</summary>
    public static long? StartTicks(int pid)
    {
        // pid (name) state … : the name may hold anything, blanks and brackets too (proc(5)).
        const int state = 0, startTime = 19;
        string text = Line(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        string[] fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > startTime && fields[state] is not ("Z" or "X") ? long.Parse(fields[startTime], CultureInfo.InvariantCulture) : null;
    }

    private static string Line(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No /proc here, or the process ended.
            return "";
        }
    }
}
