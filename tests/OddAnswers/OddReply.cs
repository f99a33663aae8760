using System.Globalization;
using System.IO.Compression;
using System.Text;
using Pelican.Federation;

namespace Pelican.Tests.OddAnswers;

/// <summary>
/// Answers that say the same as a sound one, or refuse, in the ways that RFC 9110, 9112 and 4918 leave open; and connections
/// that end where they should not. Each is made from the sound answer of the server.
/// </summary>
internal static class OddReply
{
    private static readonly int[] Refusals =
        [300, 304, 305, 400, 401, 402, 403, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 599];

    /// <summary>What can be done to an answer, by name.</summary>
    private static readonly (string Name, Func<Request, Reply, bool> Fits, Action<Request, Reply, Random> Do)[] Ways =
    [
        ("chunked", HasBody, (_, reply, _) => Chunk(reply)),
        ("chunks with extensions", HasBody, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.Chunks)),
        ("ended by close", HasBody, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.Close)),
        ("HTTP/1.0", HasBody, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.Old)),
        ("length twice", (_, _) => true, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.TwiceTold)),
        ("length with zeros", (_, _) => true, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.Zeros)),
        ("length in a list", (_, _) => true, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.Listed)),
        ("length beside chunks", HasBody, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.Both)),
        ("coded chunks", HasBody, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.Coded)),
        ("interim answers", (_, _) => true, (request, reply, random) => OddFraming.Write(request, reply, random, Framing.Interim)),
        ("length alone in a HEAD left out", (request, _) => request.Method == "HEAD", (request, reply, random) => OddFraming.Write(request, reply, random, Framing.None)),
        ("HEAD in chunks", (request, _) => request.Method == "HEAD", (_, reply, _) => Chunk(reply)),
        ("cut", HasBody, Cut),
        ("lost", (_, _) => true, (_, reply, random) => (reply.Unanswered, reply.Ending) = (true, Some(random, Ending.Close, Ending.Reset))),
        ("date", (_, reply) => reply.Headers["Last-Modified"] is not null, (_, reply, random) => reply.Headers["Last-Modified"] = OddDate(random, reply.Headers["Last-Modified"]!)),
        ("no date", (_, _) => true, (_, reply, _) => reply.Headers["Last-Modified"] = reply.Headers["Date"] = null),
        ("reason", (_, _) => true, (_, reply, random) => reply.Reason = Some(random, "", "No Reason At All", "Ok; é", new string('x', 500))),
        ("case", (_, _) => true, ChangeCase),
        ("strange headers", (_, _) => true, AddStrange),
        ("tag", (_, _) => true, (_, reply, random) => reply.Headers["ETag"] = Some(random, null, "W/\"weak\"", "\"\"", "\"a,b\"", "unquoted")),
        ("no digest", (_, reply) => reply.Headers["Digest"] is not null, (_, reply, _) => reply.Headers["Digest"] = null),
        ("odd digest", (_, reply) => reply.Headers["Digest"] is not null, (_, reply, random) => reply.Headers["Digest"] = OddDigest(random, reply.Headers["Digest"]!)),
        ("gzip", HasBody, (_, reply, random) => Code(reply, Some(random, "gzip", "x-gzip", "GZIP"))),
        ("coding identity", HasBody, (_, reply, _) => reply.Headers["Content-Encoding"] = "identity"),
        ("coding unknown", HasBody, (_, reply, random) => reply.Headers["Content-Encoding"] = Some(random, "br", "zstd", "aes128gcm", "gzip, gzip")),
        ("total unknown", (_, reply) => reply.Headers["Content-Range"] is not null, (_, reply, _) => reply.Headers["Content-Range"] = reply.Headers["Content-Range"]!.Split('/')[0] + "/*"),
        ("one part in MIME", IsPart, (_, reply, _) => ToMultipart(reply)),
        ("two parts in MIME", IsPart, (_, reply, random) => ToTwoParts(reply, random)),
        ("unit in capitals", (_, reply) => reply.Headers["Content-Range"] is not null, (_, reply, _) => reply.Headers["Content-Range"] = reply.Headers["Content-Range"]!.ToUpperInvariant()),
        ("part that nobody asked for", IsWhole, (_, reply, _) => (reply.Status, reply.Headers["Content-Range"]) = (206, FormattableString.Invariant($"bytes 0-{reply.Length - 1}/{reply.Length}"))),
        ("shorter part", IsPart, Shorten),
        ("whole instead of a part", (request, _) => request.Headers["Range"] is not null && request.Method == "GET", (_, _, _) => { }),
        ("range of a whole", (_, reply) => reply.Status == 200, (_, reply, random) => reply.Headers["Content-Range"] = Some(random, "bytes */5", "bytes 0-4/5", "items 1-2/3")),
        ("other success", (request, reply) => request.Method is "PUT" or "DELETE" or "MKCOL" && reply.Status < 300, (_, reply, random) => reply.Status = random.Next(200, 206)),
        ("other listing", IsListing, (_, reply, random) => OddListing.Change(reply, random)),
        ("other listing", IsListing, (_, reply, random) => OddListing.Change(reply, random)),
        ("other listing", IsListing, (_, reply, random) => OddListing.Change(reply, random)),
        ("other redirect", (_, reply) => reply.Status == 307, (_, reply, random) => reply.Status = Some(random, 301, 302, 303, 308)),
        ("links", (_, reply) => reply.Headers["Link"] is not null, (_, reply, random) => OddDirector.ChangeLinks(reply, random)),
        ("namespace", (_, reply) => reply.Headers["X-Pelican-Namespace"] is not null, (_, reply, random) => OddDirector.ChangeNamespace(reply, random)),
        ("namespace", (_, reply) => reply.Headers["X-Pelican-Namespace"] is not null, (_, reply, random) => OddDirector.ChangeNamespace(reply, random)),
        ("issuers", (_, reply) => reply.Headers["X-Pelican-Authorization"] is not null, (_, reply, random) => OddDirector.ChangeIssuers(reply, random)),
        ("location", (_, reply) => reply.Headers["Link"] is not null, (_, reply, random) => OddDirector.ChangeLocation(reply, random)),
        ("document", (request, reply) => request.Path.StartsWith("/.well-known/", StringComparison.Ordinal) && reply.Status == 200, (_, reply, random) => OddDirector.ChangeDocument(reply, random)),
        ("document", (request, reply) => request.Path.StartsWith("/.well-known/", StringComparison.Ordinal) && reply.Status == 200, (_, reply, random) => OddDirector.ChangeDocument(reply, random)),
        ("members that failed", (request, _) => request.Method is "DELETE" or "MOVE" or "MKCOL", OddListing.OfFailures),
    ];

    /// <summary>The names of all ways.</summary>
    public static IEnumerable<string> Names => Ways.Select(way => way.Name).Distinct();

    /// <summary>One way that fits, done.</summary>
    /// <returns>Its name.</returns>
    public static string Change(Request request, Reply reply, Random random)
    {
        (string name, _, Action<Request, Reply, Random> act) = Some(random, [.. Ways.Where(way => way.Fits(request, reply))]);
        act(request, reply, random);
        return name;
    }

    /// <summary>A refusal that says nothing of what is there.</summary>
    public static Reply Refusal(Random random)
    {
        int status = Refusals[random.Next(Refusals.Length)];
        (string body, string type) = Some(random,
            ("", "text/plain"), ("refused\n", "text/plain"), ("{\"error\":\"refused\",\"detail\":\"no\"}", "application/json"), ("{\"error\":", "application/json"),
            ("<html><body>no</body></html>", "text/html; charset=utf-8"), (new string('x', 20_000), "application/octet-stream"));
        Reply reply = new(status, body, type);
        if (random.Next(3) == 0)
        {
            reply.Headers["Retry-After"] = Some(random, "0", "1", "7", "120", "-1", "1.5", "soon", "99999999999", OddDate(random, "Sat, 28 Nov 2026 00:34:15 GMT"));
        }

        reply.Headers["Location"] = status is 300 or 304 or 305 ? Some(random, null, "/elsewhere", "https://localhost:1/") : null;
        reply.Headers["Content-Range"] = status == 416 ? Some(random, null, "bytes */0", "bytes */1000", "bytes */*", "items */5") : null;
        reply.Headers["WWW-Authenticate"] = status == 401 ? Some(random, null, "Bearer", "Basic realm=\"x, y\", Bearer error=\"invalid_token\"", "Negotiate") : null;
        return reply;
    }

    /// <summary>Any element.</summary>
    public static T Some<T>(Random random, params T[] of) => of[random.Next(of.Length)];

    /// <summary>A date in one of the three forms that must be read, or in one that need not be.</summary>
    public static string OddDate(Random random, string date)
    {
        if (!DateTimeOffset.TryParseExact(date, "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time))
        {
            return date;
        }

        return Some(random,
            time.UtcDateTime.ToString("dddd, dd-MMM-yy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture),
            time.UtcDateTime.ToString("ddd MMM d HH:mm:ss yyyy", CultureInfo.InvariantCulture),
            "Mon" + date[3..],
            date.ToLowerInvariant(),
            time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            "0",
            "Thu, 31 Feb 2026 25:61:61 GMT",
            "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    private static bool HasBody(Request request, Reply reply) => request.Method != "HEAD" && reply.Length > 0 && reply.Status is not (204 or 304);

    private static bool IsWhole(Request request, Reply reply) =>
        request.Method == "GET" && reply is { Status: 200, Length: > 0 } && request.Headers["Range"] is null && reply.Headers["Content-Encoding"] is null;

    private static bool IsListing(Request request, Reply reply) => reply.Status == 207 && reply.Headers["Content-Encoding"] is null;

    private static bool IsPart(Request request, Reply reply) =>
        reply.Status == 206 && reply.Headers["Content-Type"]?.StartsWith("multipart", StringComparison.Ordinal) != true && reply.Length > 1;

    private static void Chunk(Reply reply)
    {
        reply.Chunked = true;
        reply.Headers["Content-Length"] = null;
    }

    private static void Cut(Request request, Reply reply, Random random)
    {
        reply.StopAfter = random.NextInt64(reply.Length);
        reply.Ending = Some(random, Ending.Close, Ending.Reset);
    }

    private static void ChangeCase(Request request, Reply reply, Random random)
    {
        KeyValuePair<string, string>[] lines = [.. reply.Headers];
        foreach ((string name, string _) in lines)
        {
            reply.Headers[name] = null;
        }

        bool upper = random.Next(2) == 0;
        foreach ((string name, string value) in lines)
        {
            reply.Headers.Add(upper ? name.ToUpperInvariant() : name.ToLowerInvariant(), Some(random, value, value + "  ", "\t" + value));
        }
    }

    private static void AddStrange(Request request, Reply reply, Random random)
    {
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            (string name, string value) = Some(random,
                ("X-Empty", ""), ("Age", "99999999999999999999"), ("Age", "-1"), ("Age", "3, 4"), ("Warning", "110 - \"stale\""), ("Via", "1.0 a, 1.1 b"), ("Set-Cookie", "a=b; Secure"),
                ("Alt-Svc", "h3=\":443\""), ("Keep-Alive", "timeout=0, max=0"), ("Accept-Ranges", "none"), ("Content-Language", "de"), ("X-Large", new string('y', 9000)),
                ("Cache-Control", "max-age=x, private=\"a, b\""), ("Content-Type", "text/plain; charset=nonsense"), ("Vary", "*"), ("Content-Location", "/elsewhere"),
                ("Repr-Digest", "sha-256=:AAAA:"), ("Trailer", "X-Other"), ("Strict-Transport-Security", "max-age=0"), ("Content-Disposition", "attachment; filename=\"../../x\""));
            reply.Headers.Add(name, value);
        }
    }

    private static string OddDigest(Random random, string digest) => Some(random,
        digest.Replace("=", " = ", StringComparison.Ordinal),
        "sha-256=AAAA,," + digest,
        digest.ToUpperInvariant(),
        digest + ", " + digest,
        "crc32c=00000000",
        "crc32c",
        "md5=notbase64!!",
        "id-" + digest,
        "adler32=1");

    /// <summary>The body, which is read by that.</summary>
    public static byte[] Take(Reply reply)
    {
        using MemoryStream bytes = new();
        using Stream body = reply.Body;
        byte[] block = new byte[64 * 1024];
        // The body of a file is read asynchronously alone, and waits for nobody.
        int count;
        while ((count = body.ReadAsync(block).AsTask().GetAwaiter().GetResult()) > 0)
        {
            bytes.Write(block, 0, count);
        }

        return bytes.ToArray();
    }

    private static void Code(Reply reply, string name)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(Take(reply));
        }

        reply.SetBody(packed.ToArray());
        reply.Headers["Content-Encoding"] = name;
    }

    private static void ToMultipart(Reply reply)
    {
        string head = $"preamble\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: {reply.Headers["Content-Range"]}\r\n\r\n";
        byte[] body = [.. Encoding.ASCII.GetBytes(head), .. Take(reply), .. "\r\n--b--\r\nepilogue"u8];
        reply.Headers["Content-Range"] = null;
        reply.Headers["Content-Type"] = "multipart/byteranges; boundary=\"b\"";
        reply.SetBody(body);
    }

    private static void ToTwoParts(Reply reply, Random random)
    {
        string[] told = reply.Headers["Content-Range"]!.Split(' ', '-', '/');
        long first = long.Parse(told[1], CultureInfo.InvariantCulture);
        byte[] body = Take(reply);
        int half = random.Next(1, body.Length);
        byte[] Part(byte[] of, long at) =>
            [.. Encoding.ASCII.GetBytes(FormattableString.Invariant($"\r\n--b\r\nContent-Range: bytes {at}-{at + of.Length - 1}/{told[3]}\r\n\r\n")), .. of];
        reply.SetBody([.. Part(body[..half], first), .. Part(body[half..], first + half), .. "\r\n--b--\r\n"u8]);
        (reply.Headers["Content-Range"], reply.Headers["Content-Type"]) = (null, "multipart/byteranges; boundary=b");
    }

    private static void Shorten(Request request, Reply reply, Random random)
    {
        byte[] body = Take(reply)[..random.Next(1, (int)Math.Min(reply.Length, int.MaxValue))];
        string[] told = reply.Headers["Content-Range"]!.Split(' ', '-', '/');
        long first = long.Parse(told[1], CultureInfo.InvariantCulture);
        reply.Headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {first}-{first + body.Length - 1}/{told[3]}");
        reply.SetBody(body);
    }
}
