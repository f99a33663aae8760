using System.Buffers;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using Pelican.Json;

namespace Pelican.Transfer;

/// <summary>
/// The file that a download grows in, hidden beside its destination, until it is whole, verified and renamed. A run that was
/// interrupted leaves it, with a note of its source beside it, and the next run goes on from there.
/// </summary>
internal sealed class PartFile : DownloadTarget
{
    /// <summary>Smaller parts are not worth a question to resume from.</summary>
    public const long WorthKeeping = 1024 * 1024;

    private const long ReserveBytes = 64 * 1024 * 1024;
    private const int KeepSize = 1; // FALLOC_FL_KEEP_SIZE
    private const int BufferBytes = 1024 * 1024;

    private readonly PartClaim _claim;
    private readonly string _destination;
    private readonly string _url;
    private readonly bool _durable;
    private readonly SafeFileHandle _handle;
    private long _reserved = WorthKeeping;
    private byte[]? _digest;
    private bool _isNoted;
    private bool _settled;

    private PartFile(PartClaim claim, string destination, string url, bool durable)
    {
        (_claim, _destination, _url, _durable) = (claim, destination, url, durable);
        _handle = claim.File.Handle;
    }

    /// <summary>Path of the part.</summary>
    public string Path => _claim.File.Path;

    /// <inheritdoc/>
    public override bool CanRewind => true;

    /// <summary>Opens the part of a destination, with what an earlier run left in it.</summary>
    /// <param name="destination">Absolute path of the final file; its directory exists.</param>
    /// <param name="url">The object; part of the key, so that another object never continues this one.</param>
    /// <param name="mode">Mode of the file.</param>
    /// <param name="durable">Whether it must outlast a power failure once it is published.</param>
    /// <param name="byName">As of <see cref="PartClaim.Take"/>.</param>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static PartFile Open(string destination, ObjectUrl url, UnixFileMode mode, bool durable = false, bool byName = false)
    {
        string source = url.Key;
        PartFile part = Try(() => new PartFile(PartClaim.Take(destination, source, mode, byName), destination, source, durable), destination, "create");
        part.Recall();
        return part;
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
    public override void Truncate(long length) => Try(
        () =>
        {
            RandomAccess.SetLength(_handle, length);
            Length = length;
            _reserved = Math.Max(length, WorthKeeping);
        },
        "write");

    /// <inheritdoc/>
    public override void StartOver()
    {
        if (_claim.Keeps)
        {
            // First: a note must never be beside bytes of another source.
            Try(() => File.Delete(_claim.NotePath), "write");
        }

        State = null;
        IsDoubtful = false;
        _isNoted = false;
        Truncate(0);
    }

    /// <inheritdoc/>
    public override void Remember(PartState source)
    {
        State = source with { Url = _url, Holder = null };
        if (!_claim.Keeps)
        {
            return;
        }

        try
        {
            Note(_claim.Holder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The bytes are what matters. Without a note they are this run's alone; an older one would say what is no longer so.
            bool had = _isNoted;
            _isNoted = false;
            if (had && File.Exists(_claim.NotePath))
            {
                Try(() => File.Delete(_claim.NotePath), "write");
            }
        }
    }

    /// <inheritdoc/>
    public override void AppendTo(Checksum checksum, CancellationToken cancellationToken) => Digest(_handle, checksum, cancellationToken);

    /// <inheritdoc/>
    public override void Seal(byte[] crc32c) => _digest = crc32c;

    /// <summary>Gives the part its final name and mode. Nothing may be wrong with it any more.</summary>
    /// <exception cref="PelicanException">Rows <c>Local…</c>: the final name has what it had. What was verified stays, unless the disk did not take it.</exception>
    public void Publish(UnixFileMode mode)
    {
        try
        {
            _claim.File.SetMode(mode);
            ReleaseReserve();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, _destination, "create");
        }

        try
        {
            _claim.File.Complete(_durable);
            CheckName();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PelicanException)
        {
            // What the file holds is not known any more.
            Discard();
            throw e as PelicanException ?? Faults.FromLocal(e, _destination, "write");
        }

        Try(() => _claim.File.Publish(_destination, _durable), "create");
        _settled = true;
        if (State is not null && _claim.Keeps)
        {
            TryDelete(_claim.NotePath);
        }
    }

    /// <summary>Whether another run could go on from here.</summary>
    public bool CanBeResumed => _claim.Keeps && _isNoted && !_settled && Length >= WorthKeeping;

    /// <summary>Removes the part and its note.</summary>
    public void Discard()
    {
        if (_settled)
        {
            return;
        }

        // While it is still locked, and once: after that the name may be another's.
        _settled = true;
        if (_claim.ByName && !_claim.File.IsThere)
        {
            return;
        }

        if (_claim.Keeps)
        {
            TryDelete(_claim.NotePath);
        }

        TryDelete(Path);
    }

    /// <summary>Closes the file; what is not worth keeping goes.</summary>
    public override void Dispose()
    {
        if (CanBeResumed)
        {
            TryLeave();
        }
        else
        {
            Discard();
        }

        _claim.Dispose();
    }

    // Blocks for what comes next, beyond the end of the file: to write into them costs the file system a quarter less. A step at a
    // time, since a process that is killed leaves them. Where there is none to be had, writing will say so.
    private void Reserve() =>
        _reserved = FileCalls.Reserve(_handle, KeepSize, Length, ReserveBytes) == 0 ? Length + ReserveBytes : long.MaxValue;

    // An earlier run may have left more than this one reserved.
    private void ReleaseReserve()
    {
        if (Length >= WorthKeeping)
        {
            RandomAccess.SetLength(_handle, Length);
        }
    }

    // Who goes on from it should know how much of it is on the disk, where that is known at no cost.
    private void TryLeave()
    {
        try
        {
            ReleaseReserve();
            if (_durable || _claim.ByName)
            {
                _claim.File.Complete(_durable);
                Note(_claim.Holder with { Synced = Length, Released = true });
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The part is as good without: its digest will tell.
        }
    }

    // Where nobody but the name says whose the part is, others may have written into it: the digest is of what was received.
    private void CheckName()
    {
        if (!_claim.ByName)
        {
            return;
        }

        using LocalFile? again = LocalFile.TryOpen(Path);
        if (again is null || !_claim.File.IsThere || again.InitialLength != Length)
        {
            throw Changed();
        }

        if (_digest is { } expected)
        {
            using Crc32cChecksum checksum = new();
            Digest(again.Handle, checksum, CancellationToken.None);
            if (!checksum.Value().AsSpan().SequenceEqual(expected))
            {
                throw Changed();
            }
        }
    }

    private PelicanException Changed() => new(Errors.Local, $"cannot create '{_destination}': another process has changed what was received for it",
        "See that one process alone downloads it, and try again.")
    {
        Retryable = true,
    };

    private void Digest(SafeFileHandle file, Checksum checksum, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read = 1;
            for (long at = 0; at < Length && read > 0; at += read)
            {
                cancellationToken.ThrowIfCancellationRequested();
                read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, Length - at)), at);
                checksum.Append(buffer.AsSpan(0, read));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, _destination, "read");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Note(PartHolder holder)
    {
        State = State! with { Holder = holder };
        LocalFile.Replace(_claim.NotePath, JsonSerializer.SerializeToUtf8Bytes(State, PelicanJson.Default.PartState));
        _isNoted = true;
    }

    private void Recall()
    {
        Length = _claim.File.InitialLength;
        State = _claim.Left;
        if (Length == 0)
        {
            // A note without bytes is of a part that has got its name; what comes now may be another version.
            State = null;
            if (_claim is { Keeps: true, ByName: false } && File.Exists(_claim.NotePath))
            {
                StartOver();
            }

            return;
        }

        if (State is null || State.Url != _url || Length > State.Size)
        {
            StartOver();
            return;
        }

        _isNoted = true;
        // After a power failure a file may have zeros where its bytes were.
        IsDoubtful = Length > (State.Holder?.Synced ?? 0) && (State.Holder is not { Boot.Length: > 0 } holder || holder.Boot != BootMark.BootId());
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

    private void Try(Action action, string doing) => Try(
        () =>
        {
            action();
            return true;
        },
        _destination, doing);

    private static T Try<T>(Func<T> action, string destination, string doing)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, destination, doing);
        }
    }
}
