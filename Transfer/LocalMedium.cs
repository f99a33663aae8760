using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pelican.Transfer;

/// <summary>What kind of file system a file lies on. Magic numbers from statfs(2), and stat.c of GNU coreutils for those that are not in it.</summary>
internal static partial class LocalMedium
{
    /// <summary>File systems that several hosts share.</summary>
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

    /// <summary>File systems of this host's own disks and memory, which tell at the write that there is no room for it.</summary>
    private static readonly uint[] Prompt =
    [
        0xEF53,     // ext2, ext3, ext4
        0x58465342, // XFS
        0x9123683E, // Btrfs
        0x01021994, 0x858458F6, // memory
        0x794C7630, // overlayfs, whose upper layer cannot be a network's
        0x2FC12FC1, // ZFS
        0xF2F52010, // F2FS
        0xCA451A4E, // bcachefs
        0x3153464A, // JFS
        0x52654973, // ReiserFS
        0x3434,     // NILFS
        0x4D44, 0x2011BAB0, // FAT, exFAT
        0x7366746E, // NTFS of the kernel
    ];

    /// <summary>Whether another host may see the same file; false when the type is not known.</summary>
    public static bool IsRemote(uint? type) => type is { } known && Remote.Contains(known);

    /// <summary>
    /// Whether an error of a write may be told only when the file is flushed or closed, and locks may not reach everybody: of a
    /// network, of FUSE, and of whatever is not known.
    /// </summary>
    public static bool ReportsLate(uint? type) => type is not { } known || !Prompt.Contains(known);

    /// <summary>Type of the file system that a file lies on; null when the system does not say.</summary>
    public static unsafe uint? TypeOf(string path)
    {
        byte* answer = stackalloc byte[Room];
        return StatFileSystem(path, answer) == 0 ? (uint)*(long*)answer : null;
    }

    /// <summary>The same of an open file.</summary>
    public static unsafe uint? TypeOf(SafeFileHandle file)
    {
        byte* answer = stackalloc byte[Room];
        return StatFileSystem(file, answer) == 0 ? (uint)*(long*)answer : null;
    }

    // f_type is the first member of struct statfs, a long, on every architecture that .NET runs on.
    private const int Room = 512;

    [LibraryImport("libc", EntryPoint = "statfs", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatFileSystem(string path, byte* answer);

    [LibraryImport("libc", EntryPoint = "fstatfs")]
    private static unsafe partial int StatFileSystem(SafeFileHandle file, byte* answer);
}
