using System.Globalization;
using System.Text;

namespace Pelican.Tests.Server;

/// <summary>How a connection ends on the side of whoever sends.</summary>
internal enum FuzzEnd
{
    /// <summary>The request is all there is; the answer is read to its end.</summary>
    Complete,

    /// <summary>The connection is closed at once, with the request half sent or the answer half read.</summary>
    Leave,

    /// <summary>It stays open, and nothing more comes.</summary>
    Hang,
}

/// <summary>One request, and what becomes of it.</summary>
/// <param name="Bytes">What is sent.</param>
/// <param name="End">How it ends.</param>
internal sealed record FuzzRequest(byte[] Bytes, FuzzEnd End);

/// <summary>Makes requests that are wrong in many ways; the same from the same seed.</summary>
/// <param name="random">Where chance comes from.</param>
/// <param name="federation"><c>host:port</c> of the federation that requests name.</param>
/// <param name="job">A job that is there.</param>
internal sealed class ApiFuzzer(Random random, string federation, string job)
{
    private const int ManyTimes = 2000;

    private static readonly string[] Methods = ["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "get", "", "G T", "POST\0", "CONNECT"];

    private static readonly string[] Values =
    [
        "null", "true", "-1", "0", "1e999", "99999999999999999999", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[]]", "\"../../etc\"", "\"osdf://\"",
        "\"pelican://[::1\"", "\"file:///etc/passwd\"", "\"osdf:///%2e%2e/%00\"", "\"osdf:///a?recursive&pack=auto#x\"", "\"💥\"", "\"/\"", "\"~\"", "\u0001", "'x'",
    ];

    private static readonly string[] Headers =
    [
        "Content-Type: text/xml", "Accept: text/event-stream", "Accept: */*;q=x", "Content-Encoding: gzip", "Expect: 100-continue", "Expect: x",
        "Idempotency-Key: ", "Idempotency-Key: k", "Last-Event-ID: -1", "Last-Event-ID: 99999999999999999999", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
        "Transfer-Encoding: gzip", "Content-Length: 1", "Content-Length: 18446744073709551616", "Host: b", "Range: bytes=0-", "X: \u00ff\u00fe", "no colon", ": x", "Cookie: a=b",
    ];

    /// <summary>Makes the next one.</summary>
    public FuzzRequest Next() => random.Next(10) switch
    {
        0 => new FuzzRequest(Garbage(), FuzzEnd.Complete),
        1 => new FuzzRequest(Cut(Http(Method(), Target(), Body())), random.Next(20) == 0 ? FuzzEnd.Hang : FuzzEnd.Leave),
        2 => new FuzzRequest(Http("GET", $"{OpenApiDocument.Base}/jobs/{job}/events", []), FuzzEnd.Leave),
        3 => new FuzzRequest(Chunked(Body()), FuzzEnd.Complete),
        4 => new FuzzRequest(Flip(Http(Method(), Target(), Body())), FuzzEnd.Complete),
        5 or 6 => new FuzzRequest(Http(Method(), Target(), []), FuzzEnd.Complete),
        _ => new FuzzRequest(Http("POST", OpenApiDocument.Base + Pick(["/jobs", "/stat", "/list", "/delete"]), Body()), FuzzEnd.Complete),
    };

    private string Method() => Pick(Methods);

    private string Target()
    {
        string path = Pick([OpenApiDocument.Base, "/api/v1.0/transfer-agent", "/api", "", "//", "/%2e%2e", "*"])
            + Pick(["/jobs", "/jobs/" + job, $"/jobs/{job}/events", $"/jobs/{job}/transfers/x", "/jobs/x", "/history", "/history/x", "/stat", "/list", "/health", "/openapi.json", "/" + Text()]);
        return random.Next(2) == 0 ? path : path + "?" + string.Join('&', Enumerable.Range(0, random.Next(1, 5)).Select(_ =>
            Pick(["limit", "offset", "status", "from", "to", "cursor", "since", "wait", "older_than", Text()]) + Pick(["=", "", "=="])
            + Pick(["", "-1", "0", "10", "99999999999999999999", "1ms", "NaN", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1.x", "a,b,running", Text()])));
    }

    // Something that would be carried out, or not, with as many mistakes as chance makes.
    private byte[] Body()
    {
        string url = $"\"pelican://{federation}/public/{random.Next(100)}\"";
        string[] whole =
        [
            $$"""{"transfers":[{"operation":"get","source":{{url}},"destination":"/nonexistent/a","recursive":false}],"options":{"token":"/nonexistent","caches":["a","+"],"umask":"022"} }""",
            $$"""{"transfers":[{"operation":"put","source":"/nonexistent","destination":{{url}} },{"operation":"copy","source":{{url}},"destination":"/nonexistent/b"}]}""",
            $$"""{"url":{{url}},"recursive":true,"options":{"federation":"https://{{federation}}","direct":true,"checksum_algorithm":"md5"} }""",
        ];
        string body = Pick(whole);
        for (int i = random.Next(4); i > 0; i--)
        {
            int at = random.Next(body.Length);
            int other = random.Next(body.Length);
            body = random.Next(7) switch
            {
                0 => body[..at],
                1 => body.Remove(at, 1),
                2 => body.Insert(at, Pick(Values)),
                3 => body[..at] + body[Math.Min(at, other)..],
                4 => body.Replace(Pick(["\"get\"", url, "true", "[", "]", "{", "\"/nonexistent\"", ":", "transfers"]), Pick(Values), StringComparison.Ordinal),
                5 => new string(Pick(["[", "{\"a\":", "\"", " "])[0], random.Next(ManyTimes)) + body,
                _ => body.Replace("\"transfers\":[", "\"transfers\":[" + string.Concat(Enumerable.Repeat("null,", random.Next(ManyTimes))), StringComparison.Ordinal),
            };
            body = body.Length == 0 ? " " : body;
        }

        return Encoding.UTF8.GetBytes(body);
    }

    private byte[] Http(string method, string target, byte[] body)
    {
        StringBuilder head = new();
        head.Append(CultureInfo.InvariantCulture, $"{method} {target} {Pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/3", ""])}\r\n");
        head.Append(random.Next(20) == 0 ? "" : "Host: localhost\r\n");
        for (int i = random.Next(3); i > 0; i--)
        {
            head.Append(Pick(Headers)).Append("\r\n");
        }

        head.Append(random.Next(50) == 0 ? $"X: {new string('x', 40_000)}\r\n" : "");
        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\nConnection: close\r\n\r\n");
        return [.. Encoding.UTF8.GetBytes(head.ToString()), .. body];
    }

    private byte[] Chunked(byte[] body)
    {
        string head = $"POST {OpenApiDocument.Base}{Pick(["/jobs", "/stat"])} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        string size = Pick([body.Length.ToString("x", CultureInfo.InvariantCulture), "-1", "zz", "ffffffffffffffffff", "1", ""]);
        return [.. Encoding.ASCII.GetBytes($"{head}{size}\r\n"), .. body, .. Encoding.ASCII.GetBytes(Pick(["\r\n0\r\n\r\n", "\r\n0\r\nTrailer: x\r\n\r\n", "0", "\r\n"]))];
    }

    private byte[] Garbage()
    {
        byte[] bytes = new byte[random.Next(1, 500)];
        random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Cut(byte[] bytes) => bytes[..random.Next(bytes.Length)];

    private byte[] Flip(byte[] bytes)
    {
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes;
    }

    private string Text() => Pick(["%00", "%ff", "..", "a%2Fb", "%", "%zz", "\u00e9", "{id}", "'--", "\t", new string('a', random.Next(ManyTimes)), "<x>", "\\", "?", "#"]);

    private T Pick<T>(ReadOnlySpan<T> of) => of[random.Next(of.Length)];
}
