using System.Runtime.InteropServices;

namespace Pelican.Commands;

/// <summary>The few calls of the C library that the console needs and .NET does not offer as they are.</summary>
internal static partial class Posix
{
    public const int OpenWriteOnly = 0x1;
    public const int OpenCreate = 0x40;
    public const int OpenAppend = 0x400;
    public const int OpenCloseOnExec = 0x80000;

    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int BrokenPipe = 32;

    public const int FileSizeExceeded = 25;

    /// <summary>The action of a signal that does nothing.</summary>
    public const nint Ignore = 1;

    public const short PollOut = 0x4;

    private const nuint GetWindowSize = 0x5413;

    /// <summary>Columns and rows of the terminal behind a descriptor; null when it does not say.</summary>
    public static (int Columns, int Rows)? TerminalSize(int descriptor) =>
        Ioctl(descriptor, GetWindowSize, out WindowSize size) == 0 && size.Columns > 0 && size.Rows > 0
            ? (size.Columns, size.Rows)
            : null;

    /// <summary>
    /// Opens /dev/null where the caller closed a standard stream: whatever is opened next would get its number, and what is
    /// said go there. Standard output stays closed for writing, so that what cannot be told is an error.
    /// </summary>
    public static void OpenStandardStreams()
    {
        const int readOnly = 0, readWrite = 2, standardError = 2;
        int descriptor;
        do
        {
            descriptor = Open("/dev/null", readOnly | OpenCloseOnExec, 0);
        }
        while (descriptor is >= 0 and < standardError);
        if (descriptor == standardError)
        {
            // Messages are for those who want them.
            int writable = Open("/dev/null", readWrite | OpenCloseOnExec, 0);
            _ = Duplicate(writable, standardError);
            descriptor = writable;
        }

        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static unsafe partial nint Write(int descriptor, byte* bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "dup2")]
    public static partial int Duplicate(int descriptor, int copy);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "isatty")]
    public static partial int IsTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "getuid")]
    public static partial uint GetUserId();

    [LibraryImport("libc", EntryPoint = "umask")]
    public static partial uint SetUmask(uint mask);

    [LibraryImport("libc", EntryPoint = "signal")]
    public static partial nint SetSignalAction(int signal, nint action);

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void Exit(int status);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ioctl(int descriptor, nuint request, out WindowSize size);

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort PixelWidth;
        public ushort PixelHeight;
    }
}
