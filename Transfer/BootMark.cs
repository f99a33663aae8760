using System.Globalization;

namespace Pelican.Transfer;

/// <summary>What tells a process, and a run of the host, from those before it.</summary>
internal static class BootMark
{
    private const string BootFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>Of this run of the host; empty where unknown.</summary>
    public static string BootId() => Line(BootFile);

    /// <summary>When a process started, in clock ticks since the host did; null when there is none, or only its remains.</summary>
    public static long? StartTicks(int pid)
    {
        // pid (name) state … : the name may hold anything, blanks and brackets too (proc(5)).
        const int state = 0, startTime = 19;
        string text = Line(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        string[] fields = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > startTime && fields[state] is not ("Z" or "X") ? long.Parse(fields[startTime], CultureInfo.InvariantCulture) : null;
    }

    /// <summary>A file of one line; empty when it is not there.</summary>
    public static string Line(string file)
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
