using System.Runtime.InteropServices;

namespace Pelican.Transfer;

/// <summary>What kind of thing a local path leads to.</summary>
internal enum LocalKind
{
    /// <summary>Nothing, or nothing that can be looked at: a link that leads nowhere, a name that is not UTF-8.</summary>
    Unknown,

    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A pipe, a socket, a device.</summary>
    Special,
}

/// <summary>What is at a local path, links followed.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Size">Bytes of a file.</param>
/// <param name="Modified">Last modification; null when unknown.</param>
internal readonly partial record struct LocalEntry(LocalKind Kind, long Size, DateTimeOffset? Modified)
{
    /// <summary>Looks. .NET tells neither a pipe nor a device from a file, and opening the former would wait for a writer.</summary>
    public static LocalEntry At(string path)
    {
        const int TypeMask = 0xF000, Regular = 0x8000, Folder = 0x4000;
        if (Native.Stat(path, out Native.FileStatus status) != 0)
        {
            return default;
        }

        LocalKind kind = (status.Mode & TypeMask) switch
        {
            Regular => LocalKind.File,
            Folder => LocalKind.Directory,
            _ => LocalKind.Special,
        };
        return new LocalEntry(kind, status.Size, DateTimeOffset.FromUnixTimeSeconds(status.ModifiedSeconds).AddTicks(status.ModifiedNanoseconds / 100));
    }

    private static partial class Native
    {
        /// <summary>
        /// <c>stat</c> through the runtime's own shim, because libc's differs by architecture in its structure, and by age in its
        /// symbol. Layout: dotnet/runtime, <c>src/native/libs/System.Native/pal_io.h</c>.
        /// </summary>
        [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8)]
        public static partial int Stat(string path, out FileStatus status);

        /// <summary>The members in use; the rest is room.</summary>
        [StructLayout(LayoutKind.Explicit, Size = 256)]
        public struct FileStatus
        {
            [FieldOffset(4)]
            public int Mode;

            [FieldOffset(16)]
            public long Size;

            [FieldOffset(40)]
            public long ModifiedSeconds;

            [FieldOffset(48)]
            public long ModifiedNanoseconds;
        }
    }
}
