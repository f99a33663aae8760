using System.Net;
using Microsoft.Win32.SafeHandles;

namespace Pelican.Transfer;

/// <summary>A file as the body of one PUT, digested as it goes.</summary>
/// <param name="file">The open file.</param>
/// <param name="length">Bytes to send: the file's size when the upload began.</param>
/// <param name="digest">Takes in what is sent; empty at the start.</param>
/// <param name="watch">Is told of the bytes.</param>
/// <param name="progress">Is told of the bytes too.</param>
/// <param name="clock">Tells when the server was ready.</param>
internal sealed class UploadBody(SafeFileHandle file, long length, Crc32cChecksum digest, TransferWatch watch, TransferProgress progress, TimeProvider clock) : HttpContent
{
    private const int BlockBytes = 256 * 1024;

    /// <summary>When it began to be sent (timestamp): from then on something of it may be there. Null before.</summary>
    public long? StartedAt { get; private set; }

    /// <summary>Bytes handed to the connection.</summary>
    public long Sent { get; private set; }

    /// <summary>What went wrong with the file; null when nothing did.</summary>
    public Exception? FileFault { get; private set; }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        StartedAt = clock.GetTimestamp();
        byte[] block = new byte[(int)Math.Min(BlockBytes, Math.Max(length, 1))];
        while (Sent < length)
        {
            int read = Read(block);
            digest.Append(block.AsSpan(0, read));
            try
            {
                await stream.WriteAsync(block.AsMemory(0, read), cancellationToken);
            }
            catch (IOException)
            {
                await FillAsync(stream, block, length - Sent - read, cancellationToken);
                return;
            }

            Sent += read;
            watch.Moved(read);
            progress.SetBytes(Sent);
        }
    }

    // The server takes no more, and its answer says why. HttpClient reads that only when the body has its length, so it is given something
    // that goes nowhere (RefusableStream); on any other connection the first write fails again.
    private static async Task FillAsync(Stream stream, byte[] block, long left, CancellationToken cancellationToken)
    {
        for (; left > 0; left -= block.Length)
        {
            await stream.WriteAsync(block.AsMemory(0, (int)Math.Min(left, block.Length)), cancellationToken);
        }
    }

    private int Read(byte[] block)
    {
        try
        {
            int read = RandomAccess.Read(file, block.AsSpan(0, (int)Math.Min(block.Length, length - Sent)), Sent);
            return read > 0 ? read : throw new EndOfStreamException("the file became shorter while it was uploaded");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            FileFault = e;
            throw;
        }
    }
}
