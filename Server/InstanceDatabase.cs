using Microsoft.Win32.SafeHandles;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>
/// A hold on the files of the job database while a daemon has it open: people and cleaners remove what they do not know,
/// and what has been acknowledged must not go with the name.
/// </summary>
internal sealed class InstanceDatabase : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly string _path;
    private readonly FileStatus _opened;

    // The database last: it is not there before its log is. SQLite's locks are the process's, and end when any descriptor
    // of the file is closed: so these are kept until SQLite is done.
    private readonly List<(string Path, SafeFileHandle File)> _files = [];

    private InstanceDatabase(string path)
    {
        _path = path;
        string log = path + "-wal";
        foreach (string file in File.Exists(log) ? [log, path] : new[] { path })
        {
            _files.Add((file, File.OpenHandle(file, share: FileShare.ReadWrite | FileShare.Delete)));
        }

        _opened = SystemCalls.Status((int)_files[^1].File.DangerousGetHandle())!;
    }

    /// <summary>Whether the name leads to nothing any more, or to another file.</summary>
    public bool IsGone => SystemCalls.Status(_path) is { } now ? !now.IsSame(_opened) : SystemCalls.IsAbsent(_path);

    /// <summary>Takes hold of a database that SQLite has open.</summary>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static InstanceDatabase Hold(string path)
    {
        try
        {
            return new InstanceDatabase(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "open");
        }
    }

    /// <summary>Writes what the database held to where it was, unless something is there. SQLite must be done with it.</summary>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public void PutBack()
    {
        if (!SystemCalls.IsAbsent(_path))
        {
            return;
        }

        try
        {
            _files.ForEach(Copy);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, _path, "write");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(held => held.File.Dispose());

    private static void Copy((string Path, SafeFileHandle File) held)
    {
        string next = held.Path + ".back";
        File.Delete(next);
        using LocalFile copy = LocalFile.TryCreate(next, UnixFileMode.UserRead | UnixFileMode.UserWrite) ?? throw FileCalls.Fault(FileCalls.Exists);
        byte[] buffer = new byte[BufferBytes];
        int read;
        for (long at = 0; (read = RandomAccess.Read(held.File, buffer, at)) > 0; at += read)
        {
            RandomAccess.Write(copy.Handle, buffer.AsSpan(0, read), at);
        }

        copy.Complete(durable: true);
        copy.Publish(held.Path, durable: true);
    }
}
