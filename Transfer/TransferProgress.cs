namespace Pelican.Transfer;

/// <summary>
/// Counters of one running transfer: written by the transfer, read by whoever shows it, as often as that one likes.
/// </summary>
internal sealed class TransferProgress
{
    private long _bytes;
    private long _total = -1;
    private long _kept;
    private string? _server;
    private string? _left;

    /// <summary>Base name of the object, for display.</summary>
    public string Name { get; init; } = "";

    /// <summary>Object bytes in place so far, those of earlier runs included; falls when a server made us start over.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Size of the object in bytes; -1 while unknown.</summary>
    public long Total => Interlocked.Read(ref _total);

    /// <summary>Host and port of the server in use; null before the first attempt.</summary>
    public string? Server => Volatile.Read(ref _server);

    /// <summary>Bytes in place when it was stopped, from which the same transfer goes on when it is started again.</summary>
    public long Kept => Interlocked.Read(ref _kept);

    /// <summary>What is at the server after it was stopped, in words; null when there is nothing to tell.</summary>
    public string? Left => Volatile.Read(ref _left);

    internal void SetLeft(string? left) => Volatile.Write(ref _left, left);

    internal void SetKept(long bytes) => Interlocked.Exchange(ref _kept, bytes);

    internal void SetBytes(long bytes) => Interlocked.Exchange(ref _bytes, bytes);

    internal void SetTotal(long total) => Interlocked.Exchange(ref _total, total);

    internal void SetServer(string server) => Volatile.Write(ref _server, server);
}
