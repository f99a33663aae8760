using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>The host this runs on, told apart from others that share a home directory with it.</summary>
/// <param name="Name">Host name.</param>
/// <param name="BootId">Of this run of the host; empty where unknown.</param>
internal sealed record HostIdentity(string Name, string BootId)
{
    private const string NameFile = "/proc/sys/kernel/hostname";

    /// <summary>The name as a part of a file name: of the host's own socket, which clients look for.</summary>
    public string FileName => ApiSocket.FileName(Name);

    /// <summary>Asks the kernel.</summary>
    public static HostIdentity Read() => new(
        BootMark.Line(NameFile) is { Length: > 0 } name ? name : Environment.MachineName, BootMark.BootId());

    /// <summary>
    /// Whether a record's process runs on this host now, and is not another one that got its number later. Nothing is
    /// known of other hosts' processes; and only whether it is there, where /proc was not to be had.
    /// </summary>
    public bool Runs(InstanceRecord record) =>
        record.Host == Name && record.BootId == BootId
        && (record.StartTicks is { } ticks ? BootMark.StartTicks(record.Pid) == ticks : SystemCalls.Kill(record.Pid, 0) == 0);
}
