using System.Text;

namespace Pelican.Federation;

/// <summary>How a connection ends when the body stops before its end.</summary>
public enum Ending
{
    /// <summary>In order: a chunked body gets its last chunk and trailer, any other a closed connection.</summary>
    Orderly,

    /// <summary>Closed, no last chunk.</summary>
    Close,

    /// <summary>Reset.</summary>
    Reset,
}

/// <summary>An answer, and the ways in which it is told wrongly.</summary>
public sealed class Reply
{
    public Reply(int status, string? body = null, string? contentType = null)
    {
        Status = status;
        SetBody(Encoding.UTF8.GetBytes(body ?? ""));
        Headers["Content-Type"] = contentType;
    }

    public int Status { get; set; }

    /// <summary>Reason phrase; null for the usual one.</summary>
    public string? Reason { get; set; }

    /// <summary>Header lines. <c>Content-Length</c> follows from <see cref="Length"/> unless it is set here: a lie.</summary>
    public HeaderList Headers { get; } = [];

    /// <summary>The body; disposed by the writer.</summary>
    public Stream Body { get; private set; } = Stream.Null;

    /// <summary>Bytes of the body.</summary>
    public long Length { get; private set; }

    /// <summary>Whether the body is sent in chunks, without length.</summary>
    public bool Chunked { get; set; }

    /// <summary>Trailer lines of a chunked body.</summary>
    public HeaderList Trailers { get; } = [];

    /// <summary>Close the connection afterwards, whatever the headers say.</summary>
    public bool Close { get; set; }

    /// <summary>Bytes of the body after which it stops; null for all.</summary>
    public long? StopAfter { get; set; }

    /// <summary>How it stops at <see cref="StopAfter"/>.</summary>
    public Ending Ending { get; set; }

    /// <summary>Offset of a byte of the body whose bits are flipped; null for none.</summary>
    public long? FlipAt { get; set; }

    /// <summary>Holds the body back; null lets it through.</summary>
    public Gate? Gate { get; set; }

    /// <summary>Writes the whole answer itself, head and all; the connection then closes. Null for an ordinary answer.</summary>
    public Func<Stream, CancellationToken, Task>? Raw { get; set; }

    /// <summary>End the connection without an answer, in the way of <see cref="Ending"/>.</summary>
    public bool Unanswered { get; set; }

    /// <summary>The error of a Go server that says nothing of its own: the reason phrase.</summary>
    public static Reply Plain(int status, string? text = null) => new(status, text ?? Reasons.Of(status), "text/plain; charset=utf-8");

    /// <summary>The error shape of Pelican's servers (federation-protocol 6.10).</summary>
    public static Reply Json(int status, string json) => new(status, json, "application/json");

    public void SetBody(byte[] bytes) => SetBody(new MemoryStream(bytes), bytes.Length);

    public void SetBody(Stream body, long length)
    {
        Body.Dispose();
        (Body, Length) = (body, length);
    }
}
