using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Pelican.Federation;

/// <summary>GET and HEAD as Pelican's own servers answer them; the numbers are sections of pelican-servers.md.</summary>
public abstract partial class ObjectServer
{
    /// <summary>How much of a refused body is read before the refusal (7.5).</summary>
    private const int LateBytes = 256 * 1024;

    /// <summary>Whether a browser gets a page for a collection (3); caches have none (4).</summary>
    private protected virtual bool ServesPages => true;

    private Reply GetLikePelican(Request request, string path, FileInfo file, int? age)
    {
        bool isHead = request.Method == "HEAD";
        Reply reply = new(200);
        reply.Headers["Accept-Ranges"] = "bytes";
        reply.Headers["Content-Type"] = path.EndsWith(".txt", StringComparison.Ordinal) ? "text/plain; charset=utf-8" : "application/octet-stream";
        reply.Headers["Last-Modified"] = Rfc1123(file.LastWriteTimeUtc);
        reply.Headers["ETag"] = isHead ? PropertyETag(file) : ContentETag(path, file);
        reply.Headers["Digest"] = HasDigests && isHead ? DigestOf(request, path, file, request.Headers["Want-Digest"] ?? "crc32c").Header : null;
        Describe(request, reply, path, file, age);
        if (StatusByConditions(request, reply, file) is { } status)
        {
            reply.Status = status;
            reply.Headers["Content-Type"] = reply.Headers["Accept-Ranges"] = reply.Headers["Digest"] = null;
            return reply;
        }

        if (isHead)
        {
            reply.SetBody(Stream.Null, file.Length);
        }
        else
        {
            reply.SetBody(new FilePart(file.FullName, 0, file.Length), file.Length);
        }

        if (request.Headers["Range"] is { } range && !request.RangeIgnored && IfRangeHolds(request, reply))
        {
            ApplyRanges(request, reply, file, range);
        }

        return reply;
    }

    /// <summary>What a cache has to say otherwise than an origin.</summary>
    private protected virtual void Describe(Request request, Reply reply, string path, FileInfo file, int? age)
    {
    }

    /// <summary>The ETag of GET and of the answer to PUT (6.1).</summary>
    private protected static string ContentETag(string path, FileInfo file)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{path} {file.Length} {file.LastWriteTimeUtc.Ticks}");
        return $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16]}\"";
    }

    /// <summary>The ETag of HEAD and PROPFIND (6.1).</summary>
    private protected static string PropertyETag(FileInfo file) => $"\"{file.LastWriteTimeUtc.Ticks:x}{file.Length:x}\"";

    /// <summary>304, 412, or null for the object (6.1): an origin compares <c>If-Match</c> with a tag of another verb.</summary>
    private protected virtual int? StatusByConditions(Request request, Reply reply, FileInfo file)
    {
        DateTimeOffset modified = DateTimeOffset.ParseExact(reply.Headers["Last-Modified"] ?? Rfc1123(file.LastWriteTimeUtc), "R", CultureInfo.InvariantCulture);
        return request.Headers["If-Match"] is not (null or "*") ? 412
            : request.Headers["If-None-Match"] is { } none && (none == "*" || none == reply.Headers["ETag"]) ? 304
            : Date(request.Headers["If-Modified-Since"]) >= modified ? 304
            : Date(request.Headers["If-Unmodified-Since"]) < modified ? 412
            : null;
    }

    /// <summary>An origin takes no tag of its own for <c>If-Range</c> (6.1).</summary>
    private protected virtual bool IfRangeHolds(Request request, Reply reply) =>
        request.Headers["If-Range"] is not { } condition || condition == reply.Headers["Last-Modified"];

    /// <summary>The part that was asked for, several in MIME, or 416 (6.3).</summary>
    private protected virtual void ApplyRanges(Request request, Reply reply, FileInfo file, string range)
    {
        long size = file.Length;
        (long First, long Last)?[] ranges = range.StartsWith("bytes=", StringComparison.Ordinal)
            ? [.. range[6..].Split(',').Select(one => RangeOf(one.Trim(), size))]
            : [null];
        bool malformed = ranges.Contains(null);
        (long First, long Last)[] parts = [.. ranges.OfType<(long First, long Last)>().Where(part => part.First < size)];
        if (size == 0 && !malformed)
        {
            return;
        }

        if (malformed || parts.Length == 0)
        {
            reply.Status = 416;
            reply.Headers["Content-Range"] = malformed ? null : string.Create(CultureInfo.InvariantCulture, $"bytes */{size}");
            reply.Headers["Content-Type"] = "text/plain; charset=utf-8";
            reply.Headers["Accept-Ranges"] = null;
            reply.Headers["X-Content-Type-Options"] = "nosniff";
            reply.SetBody(Encoding.ASCII.GetBytes(malformed ? "invalid range\n" : "invalid range: failed to overlap\n"));
        }
        else if (parts is [(long first, long last)])
        {
            SetRange(reply, file, first, last);
        }
        else
        {
            SetRanges(reply, file, parts);
        }
    }

    private static (long First, long Last)? RangeOf(string range, long size)
    {
        Match match = OneRange().Match(range);
        if (!match.Success)
        {
            return null;
        }

        long? first = match.Groups[1].Length == 0 ? null : long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        long? last = match.Groups[2].Length == 0 ? null : long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        return (first, last) switch
        {
            (null, null) => null,
            (null, { } suffix) => (Math.Max(0, size - suffix), size - 1),
            ({ } from, { } to) when to < from => null,
            ({ } from, _) => (from, Math.Min(last ?? long.MaxValue, size - 1)),
        };
    }

    private static void SetRanges(Reply reply, FileInfo file, (long First, long Last)[] parts)
    {
        const string Boundary = "83cb12a33630b42e0c329c3f1e27eeec4ba1ec7ae3f433516608230d720b";
        byte[] all = File.ReadAllBytes(file.FullName);
        using MemoryStream body = new();
        foreach ((long first, long last) in parts)
        {
            string head = string.Create(CultureInfo.InvariantCulture,
                $"--{Boundary}\r\nContent-Range: bytes {first}-{last}/{all.Length}\r\nContent-Type: {reply.Headers["Content-Type"]}\r\n\r\n");
            body.Write(Encoding.ASCII.GetBytes((body.Length == 0 ? "" : "\r\n") + head));
            body.Write(all, (int)first, (int)(last - first + 1));
        }

        body.Write(Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n"));
        reply.Status = 206;
        reply.Headers["Content-Type"] = "multipart/byteranges; boundary=" + Boundary;
        reply.SetBody(body.ToArray());
    }

    /// <summary>
    /// A refused PUT is answered after its body, or after 256 KiB of it, and without a <c>100</c>; then the connection
    /// closes, and what still comes meets a reset (7.5).
    /// </summary>
    internal static async Task RefuseLateAsync(Request request, Reply reply, CancellationToken cancellationToken)
    {
        request.Received.IsQuiet = true;
        byte[] block = new byte[16 * 1024];
        while (request.BytesReceived < LateBytes && await request.Body.ReadAsync(block, cancellationToken) > 0)
        {
        }

        if (!request.Received.Ended)
        {
            reply.Close = true;
            reply.Headers["Connection"] = "close";
        }
    }

    private protected void ForgetDigests(params string[] paths)
    {
        lock (_digests)
        {
            foreach ((string, string) key in _digests.Keys.Where(key => paths.Contains(key.Path)).ToArray())
            {
                _digests.Remove(key);
            }
        }
    }

    private static DateTimeOffset? Date(string? header) =>
        DateTimeOffset.TryParseExact(header, "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date) ? date : null;

    [GeneratedRegex("^([0-9]*)-([0-9]*)$")]
    private static partial Regex OneRange();
}
