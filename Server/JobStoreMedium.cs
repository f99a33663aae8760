using System.Runtime.InteropServices;

namespace Pelican.Server;

/// <summary>What kind of file system a database lies on.</summary>
internal static partial class JobStoreMedium
{
    /// <summary>Magic numbers of file systems that several hosts share, from statfs(2) and the sources of those that are not in it.</summary>
    private static readonly uint[] Remote =
    [
        0x6969,     // NFS
        0x517B, 0xFF534D42, 0xFE534D42, // SMB
        0x0BD00BD0, // Lustre
        0x47504653, // GPFS
        0x00C36400, // Ceph
        0x5346414F, 0x6B414653, // AFS
        0x19830326, // BeeGFS
        0xAAD7AAEA, // PanFS
        0x7461636F, // OCFS2
        0x01161970, // GFS2
        0x01021997, // 9P
        0x65735546, // FUSE: whatever it is, it may be sshfs
    ];

    /// <summary>Whether another host may see the same file; false when the system does not say.</summary>
    public static unsafe bool IsRemote(string path)
    {
        // f_type is the first member of struct statfs, a long, on every architecture that .NET runs on.
        const int room = 512;
        byte* answer = stackalloc byte[room];
        return StatFileSystem(path, answer) == 0 && Remote.Contains((uint)*(long*)answer);
    }

    [LibraryImport("libc", EntryPoint = "statfs", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatFileSystem(string path, byte* answer);
}
