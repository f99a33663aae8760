using System.Buffers;
using System.Net.Sockets;

namespace Pelican.Transfer;

/// <summary>A connection that takes in more at a time than its reader asks for, and lets a large answer pile up before it is read on.</summary>
/// <remarks>
/// TLS asks twice for each record of 16 KiB. On a fast network it finds nothing there most times, and each time that costs the epoll
/// thread, a thread of the pool and their switches: more than AES does (docs/performance.md).
/// 1. What has arrived is taken at once. The memory for it is held only while something is in it.
/// 2. A reader on a background thread of its own waits on that, up to <see cref="Patience"/>; after it, as everybody does, which can be cancelled.
/// 3. An answer that proved large wakes such a reader when <see cref="PileBytes"/> have arrived. Nobody knows here how much is still to
///    come: after <see cref="PileTime"/> what is there will do, and the next pieces are taken as they come.
/// </remarks>
internal sealed class ReadAheadStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    private const int SmallBytes = 32 * 1024;
    private const int LargeBytes = 512 * 1024;
    private const int PileBytes = 1024 * 1024;
    private const int ReadsWithoutPile = 64;
    private const long LargeAnswer = 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PileTime = TimeSpan.FromMilliseconds(5);

    private byte[]? _buffer;
    private int _start;
    private int _count;
    private long _answered;
    private bool _piles;
    private int _readsUntilPile;

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_count > 0 || (Thread.CurrentThread is { IsThreadPoolThread: false, IsBackground: true } && Wait()))
        {
            return new ValueTask<int>(Take(buffer.Span));
        }

        Pile(false);
        // No room means that the reader waits for bytes, and will bring room when there are some.
        return buffer.Length is 0 or >= SmallBytes ? base.ReadAsync(buffer, cancellationToken) : FillAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer) => _count > 0 ? Take(buffer) : base.Read(buffer);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _answered = 0;
        return base.WriteAsync(buffer, cancellationToken);
    }

    private async ValueTask<int> FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        byte[] fresh = Rent();
        Keep(fresh, await base.ReadAsync(fresh, cancellationToken));
        return Take(buffer.Span);
    }

    // Whether something is there now; false at the end of the stream as well.
    private bool Wait()
    {
        Pile(_answered >= LargeAnswer && --_readsUntilPile < 0);
        byte[] fresh = Rent();
        int read = Receive(fresh, _piles ? PileTime : Patience, out SocketError error);
        if (error == SocketError.TimedOut && _piles)
        {
            _readsUntilPile = ReadsWithoutPile;
            Pile(false);
            read = Receive(fresh, Patience, out error);
        }

        Keep(fresh, read);
        if (error is SocketError.Success or SocketError.TimedOut)
        {
            return read > 0;
        }

        SocketException cause = new((int)error);
        throw new IOException(cause.Message, cause);
    }

    private int Receive(byte[] fresh, TimeSpan limit, out SocketError error)
    {
        Socket.ReceiveTimeout = (int)limit.TotalMilliseconds;
        int read = Socket.Receive(fresh, SocketFlags.None, out error);
        return error == SocketError.Success ? read : 0;
    }

    // Everybody but those who wait with a limit must be woken by a single byte.
    private void Pile(bool on)
    {
        if (on != _piles)
        {
            Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater, on ? PileBytes : 1);
            _piles = on;
        }
    }

    private byte[] Rent() => ArrayPool<byte>.Shared.Rent(_answered < LargeAnswer ? SmallBytes : LargeBytes);

    private void Keep(byte[] fresh, int count)
    {
        (_buffer, _start, _count) = (fresh, 0, count);
        _answered += count;
        GiveBackIfEmpty();
    }

    private int Take(Span<byte> buffer)
    {
        int taken = Math.Min(_count, buffer.Length);
        _buffer.AsSpan(_start, taken).CopyTo(buffer);
        _start += taken;
        _count -= taken;
        GiveBackIfEmpty();
        return taken;
    }

    private void GiveBackIfEmpty()
    {
        if (_count == 0 && _buffer is { } empty)
        {
            _buffer = null;
            ArrayPool<byte>.Shared.Return(empty);
        }
    }
}
