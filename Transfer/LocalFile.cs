using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pelican.Transfer;

/// <summary>
/// A file of ours on the way to its final name. Every file that this program writes is finished here, in one order: what was written is
/// flushed, its descriptor closed, and only then it gets its name; each step may fail, and then there is nothing under that name.
/// Exceptions are .NET's (<see cref="Faults.FromLocal"/>).
/// </summary>
/// <remarks>
/// Policy of fsync(2): always where the file system may tell late that there was no room (<see cref="LocalMedium.ReportsLate"/>); on a
/// local one only where somebody is told that it is done for good (<c>durable</c>): a job, the files of the server.
/// </remarks>
internal sealed class LocalFile : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly LocalEntry _opened;

    private LocalFile(string path, SafeFileHandle handle)
    {
        Path = path;
        Handle = handle;
        _opened = LocalEntry.Of(handle);
        ReportsLate = LocalMedium.ReportsLate(LocalMedium.TypeOf(handle));
    }

    /// <summary>Where it is now.</summary>
    public string Path { get; private set; }

    /// <summary>To read and write it.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Bytes in it when it was opened.</summary>
    public long InitialLength => _opened.Size;

    /// <summary>Whether errors may be told late, and locks may not reach everybody.</summary>
    public bool ReportsLate { get; }

    /// <summary>Makes a file under a name that nothing has; null when something has it.</summary>
    public static LocalFile? TryCreate(string path, UnixFileMode mode) =>
        TryOpen(path, FileCalls.ReadWrite | FileCalls.Create | FileCalls.Exclusive, mode, FileCalls.Exists);

    /// <summary>Opens a file that is there; null when it is not, or the name is a link.</summary>
    public static LocalFile? TryOpen(string path) =>
        TryOpen(path, FileCalls.ReadWrite | FileCalls.NoFollow, 0, FileCalls.NoEntry);

    /// <summary>Opens a file, a pipe or a device to be written where it is; what a file held is gone.</summary>
    public static LocalFile InPlace(string path, UnixFileMode mode) =>
        TryOpen(path, FileCalls.WriteOnly | FileCalls.Create | FileCalls.Truncate, mode, none: 0)!;

    /// <summary>Puts a small file in the place of whatever file has its name.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="content">All of it.</param>
    /// <param name="mode">Its mode.</param>
    /// <param name="durable">Whether it must outlast a power failure.</param>
    public static void Replace(string path, ReadOnlySpan<byte> content, UnixFileMode mode = OwnerOnly, bool durable = false)
    {
        using LocalFile file = Beside(path, content, mode, durable);
        try
        {
            file.Publish(path, durable);
        }
        catch
        {
            File.Delete(file.Path);
            throw;
        }
    }

    /// <summary>Gives a small file a name that nothing has; it appears complete.</summary>
    /// <returns>False when something has the name.</returns>
    public static bool TryPlace(string path, ReadOnlySpan<byte> content, UnixFileMode mode = OwnerOnly, bool durable = false)
    {
        using LocalFile file = Beside(path, content, mode, durable);
        if (FileCalls.Link(file.Path, path) == 0)
        {
            File.Delete(file.Path);
            SyncDirectory(path, durable || file.ReportsLate);
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        File.Delete(file.Path);
        return error != FileCalls.Exists && TryPlaceWithoutLinks(path, content, mode, durable);
    }

    /// <summary>Locks it for this process.</summary>
    /// <returns>Null where that cannot be had: then its name alone can tell whose it is.</returns>
    public bool? TryLock()
    {
        const int exclusive = 2, withoutWaiting = 4;
        return FileCalls.Lock(Handle, exclusive | withoutWaiting) == 0 ? true : Marshal.GetLastPInvokeError() == FileCalls.TryAgain ? false : null;
    }

    /// <summary>Whether its name still leads to it.</summary>
    public bool IsThere => LocalEntry.AtLink(Path).IsSame(_opened);

    /// <summary>Sets its mode, where the file system has modes, and they are ours to set.</summary>
    public void SetMode(UnixFileMode mode)
    {
        if (_opened.Mode == mode)
        {
            return;
        }

        try
        {
            File.SetUnixFileMode(Handle, mode);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException { HResult: FileCalls.NotSupported or FileCalls.NotImplemented })
        {
            // FAT and shared folders have none: the bytes are worth more.
        }
    }

    /// <summary>Brings what was written to where it stays. After a failure nobody knows what the file holds.</summary>
    public void Complete(bool durable) => Complete(Handle, durable || ReportsLate);

    /// <summary>The same of a file that was open already, by the policy of its file system.</summary>
    public static void Complete(SafeFileHandle file) => Complete(file, LocalMedium.ReportsLate(LocalMedium.TypeOf(file)));

    /// <summary>Moves it to another name that is ours alone.</summary>
    /// <returns>False when it has gone away meanwhile.</returns>
    public static bool TryMove(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: true);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <summary>
    /// Gives it its final name; it must be complete. When this fails it has still, or again, the name it had; unless it took the place of
    /// another file and only the directory could not be flushed: then it stays there, since the other one cannot be had back.
    /// </summary>
    public void Publish(string destination, bool durable)
    {
        bool syncs = durable || ReportsLate;
        bool replaces = syncs && LocalEntry.AtLink(destination).Kind != LocalKind.Unknown;
        File.Move(Path, destination, overwrite: true);
        try
        {
            SyncDirectory(destination, syncs);
        }
        catch (IOException) when (!replaces)
        {
            // A name that may be gone tomorrow is none.
            File.Move(destination, Path, overwrite: true);
            throw;
        }

        Path = destination;
    }

    /// <summary>Brings everything that was written to a file system to where it stays.</summary>
    /// <param name="path">A file or directory on it.</param>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static void SyncAll(string path)
    {
        using SafeFileHandle there = FileCalls.Open(path, FileCalls.ReadOnly, 0);
        if (there.IsInvalid || FileCalls.SyncFileSystem(there) != 0)
        {
            throw Faults.FromLocal(FileCalls.Fault(Marshal.GetLastPInvokeError()), path, "write");
        }
    }

    /// <summary>Closes it, with its lock.</summary>
    public void Dispose() => Handle.Dispose();

    private static void Complete(SafeFileHandle file, bool sync)
    {
        // Invalid is what pipes and terminals say.
        if (sync && FileCalls.Sync(file) != 0 && Marshal.GetLastPInvokeError() is not FileCalls.Invalid and var error)
        {
            throw FileCalls.Fault(error);
        }

        FileCalls.Flush(file);
    }

    private static LocalFile? TryOpen(string path, int flags, UnixFileMode mode, int none)
    {
        SafeFileHandle handle = FileCalls.Open(path, flags, mode);
        if (!handle.IsInvalid)
        {
            return new LocalFile(path, handle);
        }

        int error = Marshal.GetLastPInvokeError();
        return error == none || ((flags & FileCalls.NoFollow) != 0 && error == FileCalls.Loop) ? null : throw FileCalls.Fault(error);
    }

    private static LocalFile Beside(string path, ReadOnlySpan<byte> content, UnixFileMode mode, bool durable)
    {
        // The name of a part: whoever finds one that a killed process has left knows what it is.
        string name = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, $".{Guid.NewGuid():N}{PartClaim.Suffix}");
        LocalFile file = TryCreate(name, mode | OwnerOnly) ?? throw FileCalls.Fault(FileCalls.Exists);
        try
        {
            RandomAccess.Write(file.Handle, content, 0);
            file.SetMode(mode);
            file.Complete(durable);
            return file;
        }
        catch
        {
            file.Dispose();
            File.Delete(name);
            throw;
        }
    }

    // Where there are no hard links. Who reads it meanwhile finds it empty.
    private static bool TryPlaceWithoutLinks(string path, ReadOnlySpan<byte> content, UnixFileMode mode, bool durable)
    {
        using LocalFile? file = TryCreate(path, mode);
        if (file is null)
        {
            return false;
        }

        try
        {
            RandomAccess.Write(file.Handle, content, 0);
            file.Complete(durable);
        }
        catch
        {
            File.Delete(path);
            throw;
        }

        SyncDirectory(path, durable || file.ReportsLate);
        return true;
    }

    // The name is on the disk when its directory is. A directory that may not be read cannot be opened for it, and some file
    // systems do not know it.
    private static void SyncDirectory(string path, bool wanted)
    {
        if (!wanted)
        {
            return;
        }

        using SafeFileHandle directory = FileCalls.Open(System.IO.Path.GetDirectoryName(path)!, FileCalls.ReadOnly, 0);
        if (!directory.IsInvalid && FileCalls.Sync(directory) == 0)
        {
            return;
        }

        int error = Marshal.GetLastPInvokeError();
        if (error is not (FileCalls.AccessDenied or FileCalls.Invalid or FileCalls.NotSupported or FileCalls.NotImplemented or FileCalls.BadDescriptor))
        {
            throw FileCalls.Fault(error);
        }
    }
}
