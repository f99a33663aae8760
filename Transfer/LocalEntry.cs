using Microsoft.Win32.SafeHandles;

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

    /// <summary>A symbolic link; only where links are not followed.</summary>
    Link,
}

/// <summary>What is at a local path, links followed.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Size">Bytes of a file.</param>
/// <param name="Modified">Last modification; null when unknown.</param>
internal readonly record struct LocalEntry(LocalKind Kind, long Size, DateTimeOffset? Modified)
{
    private const UnixFileMode Permissions = (UnixFileMode)0x1FF;

    /// <summary>Its permissions.</summary>
    public UnixFileMode Mode { get; private init; }

    private (long Device, long Inode) Identity { get; init; }

    /// <summary>Looks. .NET tells neither a pipe nor a device from a file, and opening the former would wait for a writer.</summary>
    public static LocalEntry At(string path) => FileCalls.Stat(path, out FileCalls.RawStatus status) == 0 ? Of(status) : default;

    /// <summary>The same, without following a link.</summary>
    public static LocalEntry AtLink(string path) => FileCalls.LinkStat(path, out FileCalls.RawStatus status) == 0 ? Of(status) : default;

    /// <summary>The same of an open file.</summary>
    public static LocalEntry Of(SafeFileHandle file) => FileCalls.FileStat(file, out FileCalls.RawStatus status) == 0 ? Of(status) : default;

    /// <summary>Whether it is the same file as another.</summary>
    public bool IsSame(LocalEntry other) => Kind != LocalKind.Unknown && Identity == other.Identity;

    private static LocalEntry Of(FileCalls.RawStatus status)
    {
        const int TypeMask = 0xF000, Regular = 0x8000, Folder = 0x4000, Link = 0xA000;
        LocalKind kind = (status.Mode & TypeMask) switch
        {
            Regular => LocalKind.File,
            Folder => LocalKind.Directory,
            Link => LocalKind.Link,
            _ => LocalKind.Special,
        };
        DateTimeOffset modified = DateTimeOffset.FromUnixTimeSeconds(status.ModifiedSeconds).AddTicks(status.ModifiedNanoseconds / 100);
        return new LocalEntry(kind, status.Size, modified) { Mode = (UnixFileMode)status.Mode & Permissions, Identity = (status.Device, status.Inode) };
    }
}
