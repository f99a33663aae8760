using Pelican.Json;

namespace Pelican.Transfer;

/// <summary>Where the bytes of a download go, in order.</summary>
internal abstract class DownloadTarget : IDisposable
{
    /// <summary>Object bytes in place.</summary>
    public long Length { get; protected set; }

    /// <summary>Whether bytes can be taken back and read again.</summary>
    public abstract bool CanRewind { get; }

    /// <summary>What the bytes came from; null while unknown, and then they cannot be gone on with.</summary>
    public PartState? State { get; protected set; }

    /// <summary>Whether a power failure may have taken some of the bytes in place: then only the digest of the whole will do.</summary>
    public bool IsDoubtful { get; protected set; }

    /// <summary>Writes at the end.</summary>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Forgets everything beyond a length.</summary>
    public abstract void Truncate(long length);

    /// <summary>Forgets everything, the source included.</summary>
    public abstract void StartOver();

    /// <summary>Notes what the bytes come from, so that a later answer, or a later run, may continue them.</summary>
    public abstract void Remember(PartState source);

    /// <summary>Whether bytes are held back until <see cref="Release"/>.</summary>
    public virtual bool IsHeld => false;

    /// <summary>What comes next is of an object, and may go where it cannot be taken back.</summary>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public virtual void Release()
    {
    }

    /// <summary>Takes the bytes in place into a digest.</summary>
    public abstract void AppendTo(Checksum checksum, CancellationToken cancellationToken);

    /// <summary>Tells the CRC-32C of all that is in place, now that it is complete.</summary>
    public virtual void Seal(byte[] crc32c)
    {
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>
/// Standard output, or a device: what is written is gone. The first bytes are held back until it is known that they are an object's; a small
/// one goes out when it is complete and verified.
/// </summary>
internal sealed class StreamTarget(Stream stream, string name) : DownloadTarget
{
    private MemoryStream? _held = new();

    /// <inheritdoc/>
    public override bool CanRewind => IsHeld;

    /// <inheritdoc/>
    public override bool IsHeld => _held is not null;

    /// <inheritdoc/>
    public override void Append(ReadOnlySpan<byte> bytes)
    {
        if (_held is { } held)
        {
            held.Write(bytes);
        }
        else
        {
            Write(bytes);
        }

        Length += bytes.Length;
    }

    /// <inheritdoc/>
    public override void Truncate(long length)
    {
        if (_held is { } held)
        {
            held.SetLength(length);
            Length = length;
        }
        else if (length != Length)
        {
            throw new PelicanException(Errors.Transfer, $"what was already written to {name} would have to be taken back",
                "Discard what was received and try again; a download into a file recovers from this by itself.");
        }
    }

    /// <inheritdoc/>
    public override void StartOver()
    {
        Truncate(0);
        State = null;
    }

    /// <inheritdoc/>
    public override void Remember(PartState source) => State = source;

    /// <inheritdoc/>
    public override void Release()
    {
        if (_held is { } held)
        {
            _held = null;
            Write(held.GetBuffer().AsSpan(0, (int)held.Length));
        }
    }

    /// <inheritdoc/>
    public override void AppendTo(Checksum checksum, CancellationToken cancellationToken)
    {
        MemoryStream held = _held ?? throw new InvalidOperationException("What was written to a stream cannot be read again.");
        checksum.Append(held.GetBuffer().AsSpan(0, (int)held.Length));
    }

    /// <inheritdoc/>
    public override void Dispose() => stream.Flush();

    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            stream.Write(bytes);
        }
        catch (IOException e)
        {
            throw Faults.FromLocal(e, name, "write to");
        }
    }
}
