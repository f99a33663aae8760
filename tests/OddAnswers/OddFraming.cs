using System.Globalization;
using System.IO.Compression;
using System.Net.Security;
using System.Text;
using Pelican.Federation;

namespace Pelican.Tests.OddAnswers;

/// <summary>How the end of a body is told (RFC 9112, 6), and what goes before an answer.</summary>
internal enum Framing
{
    /// <summary>Chunks with extensions, zeros, and a trailer.</summary>
    Chunks,

    /// <summary>Chunks of what was packed, which only who asks by <c>TE</c> may get.</summary>
    Coded,

    /// <summary>Chunks, and a length that is wrong.</summary>
    Both,

    /// <summary>The connection ends.</summary>
    Close,

    /// <summary>The same, by HTTP/1.0.</summary>
    Old,

    /// <summary>The length in two lines.</summary>
    TwiceTold,

    /// <summary>The length twice in one line.</summary>
    Listed,

    /// <summary>The length with zeros before it.</summary>
    Zeros,

    /// <summary>Answers of 1xx first.</summary>
    Interim,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>Puts an answer on the wire in the ways that RFC 9112 leaves open.</summary>
internal static class OddFraming
{
    /// <summary>Has the answer written so, which no server of ours would do by itself.</summary>
    public static void Write(Request request, Reply reply, Random random, Framing framing)
    {
        byte[] body = OddReply.Take(reply);
        bool isHead = request.Method == "HEAD";
        long length = reply.Headers["Content-Length"] is { } told ? long.Parse(told, CultureInfo.InvariantCulture) : isHead ? reply.Length : body.Length;
        int seed = random.Next();
        reply.Raw = async (stream, cancellationToken) =>
        {
            await stream.WriteAsync(Head(reply, framing, length, new Random(seed)), cancellationToken);
            if (!isHead && reply.Status is not (204 or 304))
            {
                await stream.WriteAsync(framing switch { Framing.Chunks or Framing.Both => InChunks(body, new Random(seed)), Framing.Coded => InChunks(Packed(body), new Random(seed)), _ => body }, cancellationToken);
            }

            await stream.FlushAsync(cancellationToken);
            if (stream is SslStream secure)
            {
                await secure.ShutdownAsync();
            }
        };
    }

    private static byte[] Head(Reply reply, Framing framing, long length, Random random)
    {
        StringBuilder head = new();
        for (int i = framing == Framing.Interim ? random.Next(1, 4) : 0; i > 0; i--)
        {
            head.Append(OddReply.Some(random, "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nContent-Length: 7\r\n\r\n", "HTTP/1.1 199\r\n\r\n"));
        }

        head.Append(CultureInfo.InvariantCulture, $"{(framing == Framing.Old ? "HTTP/1.0" : "HTTP/1.1")} {reply.Status} {reply.Reason}\r\n");
        foreach ((string name, string value) in reply.Headers)
        {
            head.Append(name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) ? "" : $"{name}: {value}\r\n");
        }

        head.Append(reply.Status is 204 or 304 ? "" : framing switch
        {
            Framing.Chunks => OddReply.Some(random, "Transfer-Encoding: chunked\r\n", "transfer-encoding: Chunked\r\n", "Transfer-Encoding: , chunked\r\n"),
            Framing.Coded => OddReply.Some(random, "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
            // RFC 9112, 6.3: the length counts for nothing.
            Framing.Both => FormattableString.Invariant($"Content-Length: {length / 2}\r\nTransfer-Encoding: chunked\r\n"),
            Framing.Listed => FormattableString.Invariant($"Content-Length: {length}, {length}\r\n"),
            Framing.Close or Framing.Old or Framing.None => "",
            Framing.TwiceTold => FormattableString.Invariant($"Content-Length: {length}\r\nContent-Length: {length}\r\n"),
            Framing.Zeros => FormattableString.Invariant($"Content-Length: 000{length} \r\n"),
            _ => FormattableString.Invariant($"Content-Length: {length}\r\n"),
        });
        return Encoding.Latin1.GetBytes(head.Append("Connection: close\r\n\r\n").ToString());
    }

    private static byte[] Packed(byte[] body)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(body);
        }

        return packed.ToArray();
    }

    private static byte[] InChunks(byte[] body, Random random)
    {
        using MemoryStream chunks = new();
        for (int at = 0; at < body.Length;)
        {
            int count = Math.Min(body.Length - at, random.Next(1, 1 + Math.Max(10, body.Length / 8)));
            chunks.Write(Encoding.ASCII.GetBytes(OddReply.Some(random,
                FormattableString.Invariant($"{count:x}\r\n"), FormattableString.Invariant($"000{count:X};a=\"b;c\"\r\n"), FormattableString.Invariant($"{count:x} ;ext\r\n"))));
            chunks.Write(body, at, count);
            chunks.Write("\r\n"u8);
            at += count;
        }

        chunks.Write(Encoding.ASCII.GetBytes(OddReply.Some(random, "0\r\n\r\n", "000;last\r\nX-Checksum: 1\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n")));
        return chunks.ToArray();
    }
}
