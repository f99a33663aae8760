using System.Runtime.InteropServices;

namespace Pelican.Server;

/// <summary>What kind of file system a database lies on.</summary>
internal static partial class JobStoreMedium
{
    /// <summary>Magic numbers of file systems that several hosts share, from statfs(2), and stat.c of GNU coreutils for those that are not in it.</summary>
    private static readonly uint[] Remote =
    [
        0x6969,     // NFS
        0x517B, 0xFF534D42, 0xFE534D42, // SMB
        0x0BD00BD0, // Lustre
        0x47504653, // GPFS
        0x00C36400, // Ceph
        0x5346414F, 0x6B414653, // AFS
        0x73757245, // Coda
        0x564C,     // NCP
        0x19830326, // BeeGFS
        0xAAD7AAEA, // PanFS
        0xBEEFDEAD, // StorNext
        0x013111A8, // IBRIX
        0x7461636F, // OCFS2
        0x01161970, // GFS2
        0x01021997, // 9P
        0xBACBACBC, 0x786F4256, // shared folders of VMware and VirtualBox
        0x65735546, // FUSE: whatever it is, it may be sshfs
    ];

    /// <summary>Whether another host may see the same file; false when the type is not known.</summary>
    public static bool IsRemote(uint? type) => type is { } known && Remote.Contains(known);

    /// <summary>Type of the file system that a file lies on; null when the system does not say.</summary>
    public static unsafe uint? TypeOf(string path)
    {
        // f_type is the first member of struct statfs, a long, on every architecture that .NET runs on.
        const int room = 512;
        byte* answer = stackalloc byte[room];
        return StatFileSystem(path, answer) == 0 ? (uint)*(long*)answer : null;
    }

    [LibraryImport("libc", EntryPoint = "statfs", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatFileSystem(string path, byte* answer);
}
