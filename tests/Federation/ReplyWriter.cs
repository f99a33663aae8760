using System.Globalization;
using System.Text;

namespace Pelican.Federation;

/// <summary>Puts an answer on the wire, right or wrong as it says.</summary>
internal static class ReplyWriter
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Writes the answer and ends the connection if it says so.</summary>
    /// <returns>Whether the connection can take another request.</returns>
    public static async Task<bool> WriteAsync(Wire wire, Request request, Reply reply, CancellationToken cancellationToken)
    {
        await using Stream body = reply.Body;
        if (reply.Unanswered)
        {
            return End(wire, reply.Ending);
        }

        request.Status = reply.Status;
        if (reply.Raw is not null)
        {
            await reply.Raw(wire.Stream, cancellationToken);
            return End(wire, Ending.Close);
        }

        string promised = reply.Headers["Content-Length"] ?? reply.Length.ToString(CultureInfo.InvariantCulture);
        await wire.Stream.WriteAsync(Head(reply), cancellationToken);
        await wire.Stream.FlushAsync(cancellationToken);
        if (request.Method == "HEAD")
        {
            return !reply.Close && request.Received.Ended;
        }

        bool stopped = await WriteBodyAsync(wire, request, reply, cancellationToken);
        if (stopped && reply.Ending != Ending.Orderly)
        {
            return End(wire, reply.Ending);
        }

        if (reply.Chunked)
        {
            await wire.Stream.WriteAsync(Encoding.UTF8.GetBytes($"0\r\n{Lines(reply.Trailers)}\r\n"), cancellationToken);
        }
        else if (promised != request.BytesSent.ToString(CultureInfo.InvariantCulture))
        {
            return false;
        }

        // What the client still sends of a refused body would be taken for the next request.
        return !reply.Close && request.Received.Ended;
    }

    private static byte[] Head(Reply reply)
    {
        StringBuilder head = new();
        string reason = reply.Reason ?? Reasons.Of(reply.Status);
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {reply.Status} {reason}\r\n{Lines(reply.Headers)}");
        if (reply.Chunked)
        {
            head.Append("Transfer-Encoding: chunked\r\n");
        }
        else if (reply.Headers["Content-Length"] is null && reply.Status is not (204 or 304))
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {reply.Length}\r\n");
        }

        return Encoding.UTF8.GetBytes(head.Append("\r\n").ToString());
    }

    private static string Lines(HeaderList headers) => string.Concat(headers.Select(line => $"{line.Key}: {line.Value}\r\n"));

    /// <returns>Whether it stopped at <see cref="Reply.StopAfter"/>.</returns>
    private static async Task<bool> WriteBodyAsync(Wire wire, Request request, Reply reply, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferBytes];
        long end = reply.StopAfter ?? long.MaxValue;
        while (true)
        {
            int wanted = (int)Math.Min(BufferBytes, end - request.BytesSent);
            int read = await reply.Body.ReadAsync(buffer.AsMemory(0, wanted), cancellationToken);
            if (read == 0)
            {
                return reply.StopAfter is not null;
            }

            if (reply.FlipAt is { } flip && flip >= request.BytesSent && flip < request.BytesSent + read)
            {
                buffer[flip - request.BytesSent] ^= 0xFF;
            }

            for (int at = 0; at < read;)
            {
                int count = reply.Gate is null ? read : await reply.Gate.TakeAsync(read - at, cancellationToken);
                await WritePieceAsync(wire.Stream, buffer.AsMemory(at, count), reply.Chunked, cancellationToken);
                at += count;
                request.BytesSent += count;
            }
        }
    }

    private static async Task WritePieceAsync(Stream stream, ReadOnlyMemory<byte> piece, bool chunked, CancellationToken cancellationToken)
    {
        if (!chunked)
        {
            await stream.WriteAsync(piece, cancellationToken);
            return;
        }

        string size = string.Create(CultureInfo.InvariantCulture, $"{piece.Length:x}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(size), cancellationToken);
        await stream.WriteAsync(piece, cancellationToken);
        await stream.WriteAsync("\r\n"u8.ToArray(), cancellationToken);
    }

    private static bool End(Wire wire, Ending ending)
    {
        if (ending == Ending.Reset)
        {
            wire.Reset();
        }

        return false;
    }
}
