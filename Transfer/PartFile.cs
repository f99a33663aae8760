using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Pelican.Json;

namespace Pelican.Transfer;

/// <summary>
/// The file that a download grows in, hidden beside its destination, until it is whole, verified and renamed. A run that was
/// interrupted leaves it, with a note of its source beside it, and the next run goes on from there.
/// </summary>
internal sealed partial class PartFile : DownloadTarget
{
    /// <summary>Smaller parts are not worth a question to resume from.</summary>
    public const long WorthKeeping = 1024 * 1024;

    private const int MaxName = 255;
    private const string Suffix = ".pelican-part";
    private const int LockTries = 10;
    private const long ReserveBytes = 64 * 1024 * 1024;
    private const int KeepSize = 1; // FALLOC_FL_KEEP_SIZE

    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(20);

    private readonly string _path;
    private readonly string _destination;
    private readonly string _statePath;
    private readonly string _url;
    private readonly bool _ours;
    private readonly FileStream _file;
    private readonly SafeFileHandle _handle;
    private long _reserved = WorthKeeping;
    private bool _settled;

    private PartFile(string path, string destination, string url, FileStream file, bool ours)
    {
        _path = path;
        _destination = destination;
        _statePath = path + ".json";
        _url = url;
        _file = file;
        _handle = file.SafeFileHandle; // asking for it moves the file's position, each time
        _ours = ours;
    }

    /// <summary>Whether a name is that of a part, or of the note beside one.</summary>
    public static bool IsPart(string name) =>
        name.StartsWith('.') && (name.EndsWith(Suffix, StringComparison.Ordinal) || name.EndsWith(Suffix + ".json", StringComparison.Ordinal));

    /// <summary>Path of the part.</summary>
    public string Path => _path;

    /// <summary>What the bytes came from; null while unknown, and then they cannot be gone on with.</summary>
    public PartState? State { get; private set; }

    /// <inheritdoc/>
    public override bool CanRewind => true;

    /// <inheritdoc/>
    public override bool CanGoOn => State is not null;

    /// <summary>Opens the part of a destination, with what an earlier run left in it.</summary>
    /// <param name="destination">Absolute path of the final file; its directory exists.</param>
    /// <param name="url">The object; part of the key, so that another object never continues this one.</param>
    /// <param name="mode">Mode of the file.</param>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static PartFile Open(string destination, ObjectUrl url, UnixFileMode mode)
    {
        string source = url.Federation.GetLeftPart(UriPartial.Authority) + url.Path.Encoded;
        string directory = System.IO.Path.GetDirectoryName(destination)!;
        string name = System.IO.Path.GetFileName(destination);
        if (Encoding.UTF8.GetByteCount(name) > MaxName)
        {
            // The part's own name is cut to fit: without this, the last step of the download would be the first to fail.
            throw Faults.FromLocal(new PathTooLongException(), destination, "create");
        }

        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)), 0, 8);
        string path = System.IO.Path.Combine(directory, PartName(name, key));
        FileStream? file = TryOpen(path, mode, destination);
        for (int tries = 0; file is null && tries < LockTries; tries++)
        {
            // Whoever starts a program hands it every open file for an instant, locks and all: the holder may be such a one.
            Thread.Sleep(LockPause);
            file = TryOpen(path, mode, destination);
        }

        if (file is not null)
        {
            PartFile part = new(path, destination, source, file, ours: true);
            part.Recall();
            return part;
        }

        // Another process is downloading the same object to the same place: both finish, neither disturbs the other.
        string own = System.IO.Path.Combine(directory, PartName(name, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))));
        return new PartFile(own, destination, source, TryOpen(own, mode, destination)
            ?? throw new PelicanException(Errors.Local, $"cannot lock '{own}'"), ours: false);
    }

    /// <inheritdoc/>
    public override void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (Length >= _reserved)
            {
                Reserve();
            }

            RandomAccess.Write(_handle, bytes, Length);
            Length += bytes.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            throw Faults.FromLocal(e, _destination, "write");
        }
    }

    /// <inheritdoc/>
    public override void Truncate(long length)
    {
        try
        {
            RandomAccess.SetLength(_handle, length);
            Length = length;
            _reserved = Math.Max(length, WorthKeeping);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, _destination, "write");
        }
    }

    /// <inheritdoc/>
    public override void StartOver()
    {
        try
        {
            // First: a note must never be beside bytes of another source.
            File.Delete(_statePath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, _destination, "write");
        }

        State = null;
        Truncate(0);
    }

    /// <inheritdoc/>
    public override void Remember(ObjectInfo source)
    {
        State = source.Size is { } size ? new PartState(_url, size, source.Modified, source.ETag)
            : throw new ArgumentException("Of unknown size: nothing can go on from there.", nameof(source));
        if (!_ours)
        {
            return;
        }

        try
        {
            using FileStream file = new(_statePath, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                BufferSize = 0,
            });
            file.Write(JsonSerializer.SerializeToUtf8Bytes(State, PelicanJson.Default.PartState));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, _destination, "write");
        }
    }

    /// <inheritdoc/>
    public override bool ComesFrom(ObjectInfo source) =>
        State is { } known && known.Size == source.Size
        && (known.Modified is null || source.Modified is null || known.Modified == source.Modified)
        && (known.ETag is null || source.ETag is null || known.ETag == source.ETag);

    /// <inheritdoc/>
    public override void AppendTo(Checksum checksum, CancellationToken cancellationToken)
    {
        _file.Position = 0;
        checksum.AppendFrom(_file, Length, cancellationToken);
    }

    /// <summary>Gives the part its final name and mode. Nothing may be wrong with it any more.</summary>
    public void Publish(UnixFileMode mode)
    {
        try
        {
            if (File.GetUnixFileMode(_handle) != mode)
            {
                File.SetUnixFileMode(_handle, mode);
            }

            ReleaseReserve();
            File.Move(_path, _destination, overwrite: true);
            _settled = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, _destination, "create");
        }

        if (State is not null)
        {
            TryDelete(_statePath);
        }
    }

    /// <summary>Whether another run could go on from here.</summary>
    public bool CanBeResumed => _ours && !_settled && State is not null && Length >= WorthKeeping;

    /// <summary>Removes the part and its note.</summary>
    public void Discard()
    {
        if (_settled)
        {
            return;
        }

        // While it is still locked, and once: after that the name may be another's.
        _settled = true;
        if (_ours)
        {
            TryDelete(_statePath);
        }

        TryDelete(_path);
    }

    /// <summary>Closes the file; what is not worth keeping goes.</summary>
    public override void Dispose()
    {
        if (CanBeResumed)
        {
            TryReleaseReserve();
        }
        else
        {
            Discard();
        }

        _file.Dispose();
    }

    // Blocks for what comes next, beyond the end of the file: to write into them costs the file system a quarter less. A step at a
    // time, since a process that is killed leaves them. Where there is none to be had, writing will say so.
    private void Reserve() =>
        _reserved = Fallocate(_handle, KeepSize, Length, ReserveBytes) == 0 ? Length + ReserveBytes : long.MaxValue;

    // An earlier run may have left more than this one reserved.
    private void ReleaseReserve()
    {
        if (Length >= WorthKeeping)
        {
            RandomAccess.SetLength(_handle, Length);
        }
    }

    private void TryReleaseReserve()
    {
        try
        {
            ReleaseReserve();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The part is as good with them.
        }
    }

    private void Recall()
    {
        Length = RandomAccess.GetLength(_handle);
        if (Length == 0)
        {
            return;
        }

        try
        {
            State = JsonSerializer.Deserialize(File.ReadAllBytes(_statePath), PelicanJson.Default.PartState);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            State = null;
        }

        if (State is null || State.Url != _url || Length > State.Size)
        {
            StartOver();
        }
    }

    // What cannot be removed stays: there is no better place for it, and another error to tell of, or none.
    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    // Null when another process holds it.
    private static FileStream? TryOpen(string path, UnixFileMode mode, string destination)
    {
        try
        {
            FileStream file = new(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                UnixCreateMode = mode | UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            if (IsStillAt(file, path))
            {
                return file;
            }

            file.Dispose();
            return null;
        }
        catch (IOException e) when (e.HResult == 11)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, destination, "create");
        }
    }

    // Between our opening and our locking it, its owner may have renamed it: what we hold is then a published file.
    private static bool IsStillAt(FileStream file, string path)
    {
        string? now = File.ResolveLinkTarget($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}", returnFinalTarget: false)?.FullName;
        return now is null ? File.Exists(path) : System.IO.Path.GetFileName(now) == System.IO.Path.GetFileName(path);
    }

    // A name that leaves room for ours is cut at a character, not at a byte.
    private static string PartName(string name, string key)
    {
        string suffix = $".{key}{Suffix}";
        int room = MaxName - suffix.Length - 1 - ".json".Length;
        while (Encoding.UTF8.GetByteCount(name) > room)
        {
            name = name[..^(char.IsSurrogate(name[^1]) ? 2 : 1)];
        }

        return $".{name}{suffix}";
    }

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Fallocate(SafeFileHandle file, int mode, long offset, long length);
}
