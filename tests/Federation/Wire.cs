using System.Net.Sockets;
using System.Text;

namespace Pelican.Federation;

/// <summary>One connection: buffered reading of lines and bytes, writing, and the ways to end it.</summary>
internal sealed class Wire(Socket socket, Stream stream) : IDisposable
{
    /// <summary>Longest head; XRootD resets a connection somewhere between 60 kB and 130 kB (xrootd.md 13.4).</summary>
    private const int MaximumHeadBytes = 128 * 1024;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    /// <summary>The stream beneath, for writing.</summary>
    public Stream Stream => stream;

    /// <summary>Reads lines up to an empty one, which is left out.</summary>
    /// <returns>The lines; null when the peer closed before the first byte.</returns>
    /// <exception cref="IOException">The peer left, or the head is too long.</exception>
    public async Task<List<string>?> ReadHeadAsync(CancellationToken cancellationToken)
    {
        List<string> lines = [];
        int left = MaximumHeadBytes;
        while (true)
        {
            string? line = await ReadLineAsync(left, cancellationToken);
            if (line is null && lines.Count == 0)
            {
                return null;
            }

            if (line is null)
            {
                throw new EndOfStreamException();
            }

            if (line.Length == 0)
            {
                return lines;
            }

            left -= line.Length;
            lines.Add(line);
        }
    }

    /// <summary>Reads a line without its end; null when the peer closed before its first byte.</summary>
    public async Task<string?> ReadLineAsync(int longest, CancellationToken cancellationToken)
    {
        List<byte> line = [];
        while (line.Count < longest)
        {
            if (_start == _end && !await FillAsync(cancellationToken))
            {
                return line.Count == 0 ? null : throw new EndOfStreamException();
            }

            byte b = _buffer[_start++];
            if (b == (byte)'\n')
            {
                return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            }

            line.Add(b);
        }

        throw new IOException("line too long");
    }

    /// <summary>Reads some bytes; 0 when the peer closed.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (_start == _end && !await FillAsync(cancellationToken))
        {
            return 0;
        }

        int count = Math.Min(target.Length, _end - _start);
        _buffer.AsMemory(_start, count).CopyTo(target);
        _start += count;
        return count;
    }

    /// <summary>Ends the connection so that the peer sees a reset.</summary>
    public void Reset() => socket.Close(0);

    public void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        _start = 0;
        _end = await stream.ReadAsync(_buffer, cancellationToken);
        return _end > 0;
    }
}
