namespace Pelican.Transfer;

/// <summary>
/// The connection of one upload, on which a refusal is read although the body is not taken: Pelican's origins answer after 256 KiB at
/// most and close (pelican-servers.md 7.5), and the failed write would hide that answer. The first write after it fails, all others go nowhere.
/// </summary>
internal sealed class RefusableStream(Stream inner) : Stream
{
    // What HttpClient holds back of a body and writes at its end: its failure would be that of the request.
    private const int HeldBack = 8192;

    private readonly CancellationTokenSource _refused = new();
    private bool _gone;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken);
        if (IsRefusal(buffer.Span[..read]))
        {
            // A write that the server takes no more waits for ever, unless it closes too.
            await _refused.CancelAsync();
        }

        return read;
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_gone)
        {
            return;
        }

        if (_refused.IsCancellationRequested && buffer.Length <= HeldBack)
        {
            _gone = true;
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _refused.Token);
        try
        {
            await inner.WriteAsync(buffer, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            _gone = true;
            throw new IOException("the server has answered before it had the whole body", e);
        }
        catch (IOException)
        {
            _gone = true;
            throw;
        }
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => _gone ? Task.CompletedTask : inner.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _refused.Dispose();
        }

        base.Dispose(disposing);
    }

    // A final answer that is no success, at the beginning of what was read or behind an interim one.
    private static bool IsRefusal(ReadOnlySpan<byte> read)
    {
        while (read.StartsWith("HTTP/1."u8) && read.Length > 9 && read[9] == (byte)'1' && read.IndexOf("\r\n\r\n"u8) is > 0 and var end)
        {
            read = read[(end + 4)..];
        }

        return read.StartsWith("HTTP/1."u8) && read.Length > 9 && read[9] is (byte)'3' or (byte)'4' or (byte)'5';
    }
}
