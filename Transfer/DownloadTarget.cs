namespace Pelican.Transfer;

/// <summary>Where the bytes of a download go, in order.</summary>
internal abstract class DownloadTarget : IDisposable
{
    /// <summary>Object bytes in place.</summary>
    public long Length { get; protected set; }

    /// <summary>Whether bytes can be taken back and read again.</summary>
    public abstract bool CanRewind { get; }

    /// <summary>Whether it is known what the bytes in place came from, so that another answer may continue them.</summary>
    public abstract bool CanGoOn { get; }

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
    public abstract void Remember(ObjectInfo source);

    /// <summary>Whether a source is the one noted: same size, and same time and ETag as far as both are known.</summary>
    public abstract bool ComesFrom(ObjectInfo source);

    /// <summary>Takes the bytes in place into a digest.</summary>
    public abstract void AppendTo(Checksum checksum, CancellationToken cancellationToken);

    /// <summary>Tells the CRC-32C of all that is in place, now that it is complete.</summary>
    public virtual void Seal(byte[] crc32c)
    {
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Standard output, or a device: what is written is gone.</summary>
internal sealed class StreamTarget(Stream stream, string name) : DownloadTarget
{
    private ObjectInfo? _source;

    /// <inheritdoc/>
    public override bool CanRewind => false;

    /// <inheritdoc/>
    public override bool CanGoOn => _source is not null;

    /// <inheritdoc/>
    public override void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            stream.Write(bytes);
            Length += bytes.Length;
        }
        catch (IOException e)
        {
            throw Faults.FromLocal(e, name, "write to");
        }
    }

    /// <inheritdoc/>
    public override void Truncate(long length)
    {
        if (length != Length)
        {
            throw new PelicanException(Errors.Transfer, $"what was already written to {name} would have to be taken back",
                "Discard what was received and try again; a download into a file recovers from this by itself.");
        }
    }

    /// <inheritdoc/>
    public override void StartOver()
    {
        Truncate(0);
        _source = null;
    }

    /// <inheritdoc/>
    public override void Remember(ObjectInfo source) => _source = source;

    /// <inheritdoc/>
    public override bool ComesFrom(ObjectInfo source) => _source is { } known && known.Size == source.Size && known.Modified == source.Modified;

    /// <inheritdoc/>
    public override void AppendTo(Checksum checksum, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("What was written to a stream cannot be read again.");

    /// <inheritdoc/>
    public override void Dispose() => stream.Flush();
}
