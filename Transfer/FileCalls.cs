using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pelican.Transfer;

/// <summary>
/// Calls on files whose errors .NET hides, or which it does not offer. They go through the runtime's own shim where it has them:
/// libc's constants and structures differ by architecture. Layout: dotnet/runtime, <c>src/native/libs/System.Native/pal_io.h</c>.
/// </summary>
internal static partial class FileCalls
{
    public const int ReadOnly = 0x0;
    public const int WriteOnly = 0x1;
    public const int ReadWrite = 0x2;
    public const int CloseOnExec = 0x10;
    public const int Create = 0x20;
    public const int Exclusive = 0x40;
    public const int Truncate = 0x80;
    public const int NoFollow = 0x200;

    public const int NoEntry = 2;
    public const int BadDescriptor = 9;
    public const int AccessDenied = 13;
    public const int TryAgain = 11;
    public const int Exists = 17;
    public const int Invalid = 22;
    public const int NotImplemented = 38;
    public const int Loop = 40;
    public const int NotSupported = 95;

    /// <summary>Opens a file.</summary>
    /// <returns>Invalid when it fails: <see cref="Marshal.GetLastPInvokeError"/> has the number.</returns>
    public static SafeFileHandle Open(string path, int flags, UnixFileMode mode) => new(OpenRaw(path, flags | CloseOnExec, (int)mode), ownsHandle: true);

    /// <summary>
    /// Closes a second descriptor of a file, as a process does that ends its work: file systems of the network send then what they
    /// still have, and tell only here that it did not fit. The lock of the first one stays.
    /// </summary>
    /// <exception cref="IOException">What they tell, among others.</exception>
    public static void Flush(SafeFileHandle file)
    {
        nint copy = Duplicate(file);
        // Not once more after an error: the descriptor is gone whatever close says.
        if (copy < 0 || Close(copy) != 0)
        {
            throw Fault(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>The exception that .NET's own calls would throw.</summary>
    public static Exception Fault(int error)
    {
        const int notPermitted = 1, nameTooLong = 36;
        string text = Marshal.GetPInvokeErrorMessage(error);
        return error switch
        {
            notPermitted or AccessDenied => new UnauthorizedAccessException(text),
            NoEntry => new FileNotFoundException(text),
            nameTooLong => new PathTooLongException(text),
            _ => new IOException(text, error),
        };
    }

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Stat(string path, out RawStatus status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_LStat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int LinkStat(string path, out RawStatus status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FStat", SetLastError = true)]
    public static partial int FileStat(SafeFileHandle file, out RawStatus status);

    /// <summary>Locks a file for this process, or says that it is locked (<see cref="TryAgain"/>).</summary>
    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FLock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FSync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Link(string from, string to);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFileSystem(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fallocate")]
    public static partial int Reserve(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenRaw(string path, int flags, int mode);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Dup", SetLastError = true)]
    private static partial nint Duplicate(SafeFileHandle file);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Close", SetLastError = true)]
    private static partial int Close(nint descriptor);

    /// <summary>The members in use; the rest is room.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct RawStatus
    {
        [FieldOffset(4)]
        public int Mode;

        [FieldOffset(16)]
        public long Size;

        [FieldOffset(40)]
        public long ModifiedSeconds;

        [FieldOffset(48)]
        public long ModifiedNanoseconds;

        [FieldOffset(88)]
        public long Device;

        [FieldOffset(104)]
        public long Inode;
    }
}
