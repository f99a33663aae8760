using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// A descriptor written with write(2). A FileStream over descriptor 1 uses pwrite where standard output is a regular
/// file, so that the lines of successive processes in a shell loop would overwrite one another.
/// </summary>
/// <param name="descriptor">Open for writing; not closed here.</param>
/// <param name="stop">Ends a wait for a reader who has stopped reading.</param>
internal sealed class ConsoleStream(int descriptor, CancellationToken stop = default) : Stream
{
    /// <summary>A pipe that has room takes so much at once without waiting (PIPE_BUF).</summary>
    private const int PieceBytes = 4096;

    private const int LookMilliseconds = 100;

    private long _written;

    /// <summary>Whether the reader has gone away (<c>EPIPE</c>), as <c>head</c> does once it has seen enough.</summary>
    public bool ReaderGone { get; private set; }

    /// <summary>
    /// A write that was cancelled while the reader did not read. It ends, whatever comes of it, when the reader reads again or goes
    /// away; until then the descriptor must stay open.
    /// </summary>
    public Task Abandoned { get; private set; } = Task.CompletedTask;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => _written;
        set => throw new NotSupportedException();
    }

    /// <summary>Writes all of it, a piece at a time as there is room, so that a signal is heard meanwhile.</summary>
    /// <exception cref="IOException">The error number is in <see cref="Exception.HResult"/>.</exception>
    /// <exception cref="OperationCanceledException">Nobody reads, and the command is to end.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (stop.CanBeCanceled && buffer.Length > 0)
        {
            WaitForRoom();
            int piece = Math.Min(buffer.Length, PieceBytes);
            WriteAll(buffer[..piece], CancellationToken.None);
            buffer = buffer[piece..];
        }

        WriteAll(buffer, CancellationToken.None);
    }

    private void WaitForRoom()
    {
        Posix.PollDescriptor room = new() { Descriptor = descriptor, Events = Posix.PollOut };
        int found;
        while ((found = Posix.Poll(ref room, 1, LookMilliseconds)) == 0 || (found < 0 && Marshal.GetLastPInvokeError() == Posix.Interrupted))
        {
            stop.ThrowIfCancellationRequested();
        }
    }

    private unsafe void WriteAll(ReadOnlySpan<byte> buffer, CancellationToken cancellationToken)
    {
        fixed (byte* start = buffer)
        {
            int done = 0;
            while (done < buffer.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                nint count = Posix.Write(descriptor, start + done, (nuint)(buffer.Length - done));
                if (count < 0)
                {
                    Recover(Marshal.GetLastPInvokeError());
                    continue;
                }

                done += (int)count;
                _written += count;
            }
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>The same, so that a reader who has stopped reading does not keep us from ending.</summary>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        Task write = Task.Run(() => WriteAll(buffer.Span, cancellationToken), cancellationToken);
        try
        {
            await write.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Abandoned = write.ContinueWith(
                static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Asks whether what was written has arrived: a file on a full disk of the network tells it no sooner.</summary>
    /// <exception cref="IOException">It has not.</exception>
    public void Complete()
    {
        if (_written > 0)
        {
            using SafeFileHandle file = new(descriptor, ownsHandle: false);
            LocalFile.Complete(file);
        }
    }

    private void Recover(int error)
    {
        switch (error)
        {
            case Posix.Interrupted:
                return;
            case Posix.TryAgain:
                // Whoever shares the terminal or pipe with us may have made it non-blocking: ssh does.
                Posix.PollDescriptor wait = new() { Descriptor = descriptor, Events = Posix.PollOut };
                _ = Posix.Poll(ref wait, 1, -1);
                return;
            case Posix.BrokenPipe:
                ReaderGone = true;
                break;
        }

        throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
    }
}
