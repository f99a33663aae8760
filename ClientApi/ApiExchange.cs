using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Pelican.ClientApi;

/// <summary>An answer of a server.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">Its body.</param>
internal sealed record ApiReply(int Status, ReadOnlyMemory<byte> Body);

/// <summary>
/// One request and its answer, HTTP/1.1 (RFC 9112), over a connection of its own: on a Unix socket a new one costs nothing,
/// and none can have gone stale. By hand, because a shell loop makes thousands of processes of one request each: the stack of
/// the framework and the threads that it starts took half the time of such a process.
/// </summary>
/// <param name="socket">Connected, and blocking; the exchange's from now on.</param>
/// <param name="mostAnswerBytes">Longest body that is taken.</param>
/// <param name="holds">Longest time for which the calling thread is held; what takes longer is waited for by none.</param>
internal sealed class ApiExchange(Socket socket, int mostAnswerBytes, TimeSpan holds) : IDisposable
{
    /// <summary>The kernel takes so much at once, whether anybody reads it or not.</summary>
    private const int SmallBytes = 32 * 1024;

    private const int MostHeadBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[MostHeadBytes];
    private readonly ArrayBufferWriter<byte> _body = new();
    private TimeSpan _holds = holds;
    private int _start;
    private int _end;

    /// <summary>Sends the request and reads the answer.</summary>
    /// <exception cref="IOException">The connection broke before the answer was complete.</exception>
    /// <exception cref="SocketException">The same.</exception>
    /// <exception cref="InvalidDataException">What came is no answer, or too long.</exception>
    public async Task<ApiReply> RunAsync(ApiCall call, CancellationToken cancellationToken)
    {
        await SendAsync(Write(call), cancellationToken);
        int status;
        do
        {
            status = StatusIn(await LineAsync(cancellationToken));
            await ReadRestAsync(status, cancellationToken);
        }
        while (status < 200);
        return new ApiReply(status, _body.WrittenMemory);
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private static byte[] Write(ApiCall call)
    {
        StringBuilder head = new();
        head.Append(CultureInfo.InvariantCulture, $"{call.Method} {call.Path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        if (call.IdempotencyKey is { } key)
        {
            head.Append(CultureInfo.InvariantCulture, $"Idempotency-Key: {key}\r\n");
        }

        if (call.Body is { } body)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n");
        }
        else if (call.Method == ApiCall.Post)
        {
            head.Append("Content-Length: 0\r\n");
        }

        return [.. Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), .. call.Body ?? []];
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        // A server may refuse a long body without reading all of it; then its answer is worth more than our error.
        try
        {
            if (_holds > TimeSpan.Zero && request.Length <= SmallBytes)
            {
                socket.Send(request.Span);
                return;
            }

            while (request.Length > 0)
            {
                request = request[await socket.SendAsync(request, SocketFlags.None, cancellationToken)..];
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
        {
            _holds = TimeSpan.Zero;
        }
    }

    private static int StatusIn(string line)
    {
        const int length = 3;
        string[] parts = line.Split(' ', 3);
        return parts.Length >= 2 && parts[0].StartsWith("HTTP/1.", StringComparison.Ordinal) && parts[1].Length == length
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int status)
            ? status
            : throw new InvalidDataException("no HTTP");
    }

    // The headers that say how long the body is, and the body (RFC 9112 6.3).
    private async ValueTask ReadRestAsync(int status, CancellationToken cancellationToken)
    {
        long? length = null;
        bool chunked = false;
        int head = 0;
        for (string line = await LineAsync(cancellationToken); line.Length > 0; line = await LineAsync(cancellationToken))
        {
            head += line.Length;
            string[] parts = line.Split(':', 2, StringSplitOptions.TrimEntries);
            if (parts.Length < 2 || head > MostHeadBytes)
            {
                throw new InvalidDataException("no HTTP");
            }

            if (parts[0].Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                length = long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
                    ? bytes
                    : throw new InvalidDataException("no length");
            }

            chunked |= parts[0].Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
                && parts[1].EndsWith("chunked", StringComparison.OrdinalIgnoreCase);
        }

        const int noContent = 204, lastInformation = 199;
        if (status is <= lastInformation or noContent)
        {
            return;
        }

        if (chunked)
        {
            await ReadChunksAsync(cancellationToken);
        }
        else if (length is { } known)
        {
            await ReadAsync(known, cancellationToken);
        }
        else
        {
            while (_start < _end || await FillAsync(cancellationToken))
            {
                await ReadAsync(_end - _start, cancellationToken);
            }
        }
    }

    private async ValueTask ReadChunksAsync(CancellationToken cancellationToken)
    {
        long length;
        do
        {
            string size = (await LineAsync(cancellationToken)).Split(';')[0].Trim();
            length = long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long bytes) && bytes >= 0
                ? bytes
                : throw new InvalidDataException("no chunk");
            await ReadAsync(length, cancellationToken);
            if (length > 0 && (await LineAsync(cancellationToken)).Length > 0)
            {
                throw new InvalidDataException("no end of a chunk");
            }
        }
        while (length > 0);
    }

    private async ValueTask ReadAsync(long bytes, CancellationToken cancellationToken)
    {
        if (bytes > mostAnswerBytes - _body.WrittenCount)
        {
            throw new InvalidDataException("too long");
        }

        while (bytes > 0)
        {
            if (_start == _end && !await FillAsync(cancellationToken))
            {
                throw new EndOfStreamException();
            }

            int part = (int)Math.Min(bytes, _end - _start);
            _body.Write(_buffer.AsSpan(_start, part));
            _start += part;
            bytes -= part;
        }
    }

    private async ValueTask<string> LineAsync(CancellationToken cancellationToken)
    {
        int seen = 0;
        int end;
        while ((end = _buffer.AsSpan(_start + seen, _end - _start - seen).IndexOf((byte)'\n')) < 0)
        {
            seen = _end - _start;
            if (!await FillAsync(cancellationToken))
            {
                throw new EndOfStreamException();
            }
        }

        string line = Encoding.Latin1.GetString(_buffer, _start, seen + end).TrimEnd('\r');
        _start += seen + end + 1;
        return line;
    }

    // False at the end.
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_start.._end).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end == _buffer.Length)
        {
            throw new InvalidDataException("too long");
        }

        Memory<byte> free = _buffer.AsMemory(_end);
        int bytes;
        if (_holds > TimeSpan.Zero && socket.Poll(_holds, SelectMode.SelectRead))
        {
            bytes = socket.Receive(free.Span);
        }
        else
        {
            _holds = TimeSpan.Zero;
            bytes = await socket.ReceiveAsync(free, SocketFlags.None, cancellationToken);
        }

        _end += bytes;
        return bytes > 0;
    }
}
