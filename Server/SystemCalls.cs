using System.Runtime.InteropServices;

namespace Pelican.Server;

/// <summary>What <c>lstat</c> says of a name.</summary>
/// <param name="Device">Number of its filesystem.</param>
/// <param name="Inode">Number within that.</param>
/// <param name="Mode">Kind and permissions, <c>st_mode</c>.</param>
/// <param name="UserId">Its owner.</param>
/// <param name="Modified">Seconds since 1970, by the clock of the filesystem.</param>
internal sealed record FileStatus(ulong Device, ulong Inode, uint Mode, uint UserId, long Modified)
{
    private const uint KindMask = 0xF000;
    private const uint SocketKind = 0xC000;

    /// <summary>Whether it is a socket.</summary>
    public bool IsSocket => (Mode & KindMask) == SocketKind;

    /// <summary>Whether it is the same file as another.</summary>
    public bool IsSame(FileStatus? other) => other is not null && (Device, Inode) == (other.Device, other.Inode);
}

/// <summary>The calls of the C library that a daemon needs and .NET does not offer as they are.</summary>
internal static partial class SystemCalls
{
    public const int NotPermitted = 1;
    public const int TryAgain = 11;
    public const int AccessDenied = 13;
    public const int NoLocks = 37;
    public const int NotImplemented = 38;
    public const int NotSupported = 95;

    /// <summary>What a name stands for; null when there is nothing, or it cannot be seen.</summary>
    public static FileStatus? Status(string path) => LStat(path, out RawStatus raw) == 0 ? Of(raw) : null;

    /// <summary>Whether a name is not there; false where that cannot be told, as when a file server is away.</summary>
    public static bool IsAbsent(string path)
    {
        const int noEntry = 2;
        return LStat(path, out _) != 0 && Marshal.GetLastPInvokeError() == noEntry;
    }

    /// <summary>The same as <see cref="Status(string)"/> of an open descriptor.</summary>
    public static FileStatus? Status(int descriptor) => FStat(descriptor, out RawStatus raw) == 0 ? Of(raw) : null;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "fchmod")]
    public static partial int SetMode(int descriptor, uint mode);

    [LibraryImport("libc", EntryPoint = "socket")]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int descriptor, byte[] address, uint length);

    /// <summary>How many descriptors this process may have open.</summary>
    public static int DescriptorLimit()
    {
        const int openFiles = 7, usual = 1024;
        return GetLimit(openFiles, out RawLimit limit) == 0 ? (int)Math.Min(limit.Current, int.MaxValue) : usual;
    }

    /// <summary>Whether programs that this one starts inherit a descriptor.</summary>
    public static int SetCloseOnExec(int descriptor, bool close) => Control(descriptor, 2 /* F_SETFD */, close ? 1 : 0);

    /// <summary>Another descriptor of the same file that is none of the standard streams, and not inherited.</summary>
    public static int DuplicateAside(int descriptor) => Control(descriptor, 1030 /* F_DUPFD_CLOEXEC */, 3);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    public static unsafe partial int Pipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "setsid")]
    public static partial int NewSession();

    [LibraryImport("libc", EntryPoint = "waitpid")]
    public static partial int Wait(int process, out int status, int options);

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int Spawn(out int process, string path, byte* actions, byte* attributes, nint[] arguments, nint[] environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    public static unsafe partial int InitActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    public static unsafe partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int AddOpen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static unsafe partial int AddDuplicate(byte* actions, int descriptor, int copy);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    public static unsafe partial int InitAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    public static unsafe partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    public static unsafe partial int SetMask(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    public static unsafe partial int SetDefaults(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    public static unsafe partial int EmptySet(byte* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    public static unsafe partial int FillSet(byte* signals);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);

    /// <summary>Sets access and modification time to now: on a network filesystem, the server's now.</summary>
    public static int Touch(string path) => SetTimes(-100 /* AT_FDCWD */, path, 0, 0);

    private static FileStatus Of(RawStatus raw) => new(raw.Device, raw.Inode, raw.Mode, raw.UserId, raw.Modified);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "lstat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat(string path, out RawStatus status);

    [LibraryImport("libc", EntryPoint = "fstat")]
    private static partial int FStat(int descriptor, out RawStatus status);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out RawLimit limit);

    [LibraryImport("libc", EntryPoint = "utimensat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetTimes(int directory, string path, nint times, int flags);

    /// <summary><c>struct rlimit</c> of Linux on 64 bits.</summary>
    private readonly record struct RawLimit(ulong Current, ulong Most);

    /// <summary><c>struct stat</c> of Linux on x86-64.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    private struct RawStatus
    {
        [FieldOffset(0)] public ulong Device;
        [FieldOffset(8)] public ulong Inode;
        [FieldOffset(24)] public uint Mode;
        [FieldOffset(28)] public uint UserId;
        [FieldOffset(88)] public long Modified;
    }
}
