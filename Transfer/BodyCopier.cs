using System.Buffers;

namespace Pelican.Transfer;

/// <summary>Moves the body of one answer into a target, digesting it on the way, and judges how it ended.</summary>
internal sealed class BodyCopier(DownloadTarget target, Crc32cChecksum digest, TransferProgress progress, ClientSettings settings, TimeProvider clock)
{
    /// <summary>
    /// What is read, digested and written at a time. It must stay in the processor's cache: with 1 MiB the same write cost
    /// twice the system time (docs/performance.md).
    /// </summary>
    private const int BufferBytes = 64 * 1024;

    /// <summary>A body that has moved so much is worth a thread.</summary>
    private const long LargeBytes = 4 * 1024 * 1024;

    /// <summary>A pause is no shorter: timers go by milliseconds.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(1);

    /// <summary>The most that a limited download makes up for.</summary>
    private static readonly TimeSpan MostCaughtUp = TimeSpan.FromMilliseconds(250);

    /// <summary>How an XRootD 5.5 that failed before its first body byte begins what it sends as the object (xrootd.md 3.8).</summary>
    private static ReadOnlySpan<byte> ErrorAsBody => "HTTP/1.1 "u8;

    /// <summary>Copies until the body ends, falls silent, or either side fails.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="server">Host and port, for messages.</param>
    /// <param name="expected">Bytes that this answer must have; null when nobody said.</param>
    /// <param name="onBytes">Called after each block with the bytes in place; may fail, and so end the copy.</param>
    /// <param name="cancellationToken">The caller's own; what has arrived by then is in place.</param>
    /// <returns>What the end of the body says of its length.</returns>
    /// <exception cref="PelicanException">The body ended in any other way; the good bytes are in place.</exception>
    public async Task<BodyEnd> CopyAsync(
        HttpResponseMessage response, string server, long? expected, Func<long, Task> onBytes, CancellationToken cancellationToken)
    {
        long start = target.Length;
        uint digestAtStart = digest.Save();
        byte[] head = new byte[ErrorAsBody.Length];
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(response.Content.Headers.ContentLength ?? BufferBytes, 4096, BufferBytes));
        using TransferWatch watch = new(settings, slowRule: true, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watch.Stopped);
        Passage passage = new(buffer, head, start, watch, onBytes, either.Token);
        passage.PaceAnew(start, clock.GetTimestamp());
        try
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(either.Token);
            bool ended = await CopyBlocksAsync(body, passage);
            while (!ended)
            {
                // On a thread of its own it may wait for the network without leaving it (ReadAheadStream). After a pause it is on one
                // of the pool again.
                ended = await Task.Factory.StartNew(() => CopyBlocksAsync(body, passage), CancellationToken.None,
                    TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
            }

            // What comes next is not for that thread.
            await Task.Yield();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && watch.Reason != StopReason.None)
        {
            Flush(passage);
            throw watch.Error(server);
        }
        catch (OperationCanceledException)
        {
            Flush(passage);
            throw;
        }
        catch (Exception e) when (Faults.IsTransport(e))
        {
            Flush(passage);
            DropErrorText(head, start, digestAtStart);
            throw Faults.FromTransport(e, server, bodyStarted: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Judge(response, server, target.Length - start, expected);
    }

    // Whether the body ended; else it is large, and there is more.
    private async Task<bool> CopyBlocksAsync(Stream body, Passage passage)
    {
        long begun = target.Length;
        int block = BlockBytes(passage.Buffer.Length);
        while (true)
        {
            bool ended = false;
            while (passage.Filled < block && !ended)
            {
                passage.CancellationToken.ThrowIfCancellationRequested();
                int read = await body.ReadAsync(passage.Buffer.AsMemory(passage.Filled, block - passage.Filled), passage.CancellationToken);
                ended = read == 0;
                passage.Filled += read;
                passage.Watch.Moved(read);
                progress.SetBytes(target.Length + passage.Filled);
            }

            Flush(passage);
            await passage.OnBytes(target.Length);
            if (ended)
            {
                return true;
            }

            if (settings.MaximumDownloadSpeed > 0)
            {
                await PaceAsync(passage);
            }
            else if (Thread.CurrentThread.IsThreadPoolThread && target.Length - begun >= LargeBytes)
            {
                return false;
            }
        }
    }

    // By when the bytes may be here, not by a pause after each block: what a pause or a read takes longer is caught up with. What a
    // server is late is not.
    private async Task PaceAsync(Passage passage)
    {
        TimeSpan due = TimeSpan.FromSeconds((double)(target.Length - passage.Paced) / settings.MaximumDownloadSpeed);
        TimeSpan taken = clock.GetElapsedTime(passage.PacedSince);
        if (taken - due > MostCaughtUp)
        {
            passage.PaceAnew(target.Length, clock.GetTimestamp());
        }
        else if (due - taken >= ShortestPause)
        {
            await Task.Delay(due - taken, clock, passage.CancellationToken);
        }
    }

    // Small blocks only where a speed limit asks for them.
    private int BlockBytes(int most) =>
        settings.MaximumDownloadSpeed > 0 ? (int)Math.Clamp(settings.MaximumDownloadSpeed / 10, 1, most) : most;

    private void Flush(Passage passage)
    {
        ReadOnlySpan<byte> bytes = passage.Buffer.AsSpan(0, passage.Filled);
        passage.Filled = 0;
        if (bytes.IsEmpty)
        {
            return;
        }

        KeepHead(passage.Head, target.Length - passage.Start, bytes);
        passage.Watch.Busy = true;
        target.Append(bytes);
        digest.Append(bytes);
        passage.Watch.Busy = false;
    }

    private static void KeepHead(byte[] head, long before, ReadOnlySpan<byte> bytes)
    {
        if (before < head.Length)
        {
            bytes[..(int)Math.Min(bytes.Length, head.Length - before)].CopyTo(head.AsSpan((int)before));
        }
    }

    private void DropErrorText(byte[] head, long start, uint digestAtStart)
    {
        if (target.CanRewind && head.AsSpan().SequenceEqual(ErrorAsBody))
        {
            target.Truncate(start);
            digest.Restore(digestAtStart);
        }
    }

    private static BodyEnd Judge(HttpResponseMessage response, string server, long received, long? expected)
    {
        string? status = response.TrailingHeaders.TryGetValues("X-Transfer-Status", out IEnumerable<string>? values) ? values.First().Trim() : null;
        if (status is not null && !status.StartsWith("200", StringComparison.Ordinal))
        {
            throw new PelicanException(status.StartsWith("504", StringComparison.Ordinal) ? Errors.TimedOut : Errors.Transfer,
                $"{server} failed after {received} bytes: {Faults.Clean(status)}");
        }

        if (expected is { } promised && received != promised)
        {
            throw new PelicanException(Errors.Transfer, $"{server} sent {received} bytes where {promised} were due");
        }

        return expected is not null || status is not null ? BodyEnd.Confirmed
            : response.Headers.TransferEncodingChunked == true && response.Headers.Trailer.Count == 0 ? BodyEnd.LastChunk
            : BodyEnd.Open;
    }

    /// <summary>One body under way.</summary>
    /// <param name="Buffer">The block being filled.</param>
    /// <param name="Head">Its first bytes, once they have come.</param>
    /// <param name="Start">Length of the target when it began.</param>
    /// <param name="Watch">Is told of the bytes.</param>
    /// <param name="OnBytes">Is told of each block in place.</param>
    /// <param name="CancellationToken">The caller's, or the watch's.</param>
    private sealed record Passage(
        byte[] Buffer, byte[] Head, long Start, TransferWatch Watch, Func<long, Task> OnBytes, CancellationToken CancellationToken)
    {
        /// <summary>Bytes in the buffer.</summary>
        public int Filled { get; set; }

        /// <summary>Bytes that do not count for the speed limit.</summary>
        public long Paced { get; private set; }

        /// <summary>When those that count began to come.</summary>
        public long PacedSince { get; private set; }

        /// <summary>Counts from here.</summary>
        public void PaceAnew(long bytes, long now) => (Paced, PacedSince) = (bytes, now);
    }
}
