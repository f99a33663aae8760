using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>GET, HEAD and PROPFIND as xrootd.md describes them; the numbers are its sections.</summary>
public sealed class XrootdReadTests
{
    private const string Path = "/public/f";

    [Test]
    [Arguments("xrootd55", "bytes=1-3", 206, "bytes 1-3/6", "bcd")]
    [Arguments("xrootd55", "bytes=2-", 206, "bytes 2--1/6", "")]
    [Arguments("xrootd55", "bytes=-2", 200, null, "abcdef")]
    [Arguments("xrootd55", "bytes=6-", 206, "bytes 6--1/6", "")]
    [Arguments("xrootd55", "bytes=0-2147483647", 206, "bytes 0-2147483647/6", "")]
    [Arguments("xrootd55", "bytes=abc", 200, null, "abcdef")]
    [Arguments("xrootd58", "bytes=2-", 206, "bytes 2-5/6", "cdef")]
    [Arguments("xrootd58", "bytes=-2", 206, "bytes 4-5/6", "ef")]
    [Arguments("xrootd62", "bytes=3-200", 206, "bytes 3-5/6", "def")]
    [Arguments("xrootd62", "bytes=4-2", 200, null, "abcdef")]
    [Arguments("xrootd62", "0-0", 206, "bytes 0-0/6", "a")]
    [Arguments("pelican", "bytes=2-", 206, "bytes 2-5/6", "cdef")]
    public async Task Ranges_are_understood_by_version_3_5(
        string dialect, string range, int status, string? contentRange, string body, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Named(dialect));

        Answer answer = await federation.AskAsync("GET", federation.Origin.Url + Path, cancellationToken, null, ("Range", range));

        await Assert.That(answer.Status).IsEqualTo(status);
        await Assert.That(answer.Body).IsEqualTo(body);
        await Assert.That(Value(answer, "Content-Range")).IsEqualTo(contentRange);
    }

    [Test]
    public async Task A_range_behind_the_end_is_promised_by_5_5_and_refused_without_size_by_6_2(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd55, Dialect.Xrootd62);

        string promised = await RawGetAsync(federation.Origins[0], "Range: bytes=3-200", cancellationToken);
        string refused = await RawGetAsync(federation.Origins[1], "Range: bytes=6-8", cancellationToken);

        await Assert.That(promised).StartsWith("HTTP/1.1 206");
        await Assert.That(promised).Contains("Content-Length: 198");
        await Assert.That(promised).EndsWith("\r\n\r\n");
        await Assert.That(refused).StartsWith("HTTP/1.1 416");
        await Assert.That(refused).DoesNotContain("Content-Range");
    }

    [Test]
    public async Task If_Range_is_ignored_by_Xrootd_and_obeyed_by_Pelican_3_4(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62, Dialect.Pelican);

        Answer ignored = await federation.AskAsync(
            "GET", federation.Origins[0].Url + Path, cancellationToken, null, ("Range", "bytes=1-2"), ("If-Range", "\"old\""));
        Answer obeyed = await federation.AskAsync(
            "GET", federation.Origins[1].Url + Path, cancellationToken, null, ("Range", "bytes=1-2"), ("If-Range", "\"old\""));

        await Assert.That(ignored.Status).IsEqualTo(206);
        await Assert.That(obeyed.Status).IsEqualTo(200);
    }

    [Test]
    public async Task The_ETag_of_6_2_survives_a_change_and_GET_has_none_2_1(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);

        Answer before = await federation.AskAsync("HEAD", federation.Origin.Url + Path, cancellationToken);
        federation.Origin.Store(Path, "something else");
        Answer after = await federation.AskAsync("HEAD", federation.Origin.Url + Path, cancellationToken);
        Answer get = await federation.AskAsync("GET", federation.Origin.Url + Path, cancellationToken);

        await Assert.That(Value(before, "ETag")).IsNotNull();
        await Assert.That(Value(after, "ETag")).IsEqualTo(Value(before, "ETag"));
        await Assert.That(Value(after, "Content-Length")).IsEqualTo("14");
        await Assert.That(get.Headers).DoesNotContain("ETag").And.DoesNotContain("Last-Modified").And.DoesNotContain("Content-Type");
    }

    [Test]
    public async Task Trailers_are_sent_when_both_headers_ask_and_announced_by_6_2_alone_4(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd55, Dialect.Xrootd58, Dialect.Xrootd62);
        (string, string)[] both = [("TE", "trailers"), ("X-Transfer-Status", "true")];

        Answer old = await federation.AskAsync("GET", federation.Origins[0].Url + Path, cancellationToken, null, both);
        string silent = await RawGetAsync(federation.Origins[1], "TE: trailers\nX-Transfer-Status: true", cancellationToken);
        Answer announced = await federation.AskAsync("GET", federation.Origins[2].Url + Path, cancellationToken, null, both);
        Answer half = await federation.AskAsync("GET", federation.Origins[2].Url + Path, cancellationToken, null, both[0]);

        await Assert.That(Value(old, "Content-Length")).IsEqualTo("6");
        await Assert.That(silent).DoesNotContain("Trailer:").And.Contains("0\r\nX-Transfer-Status: 200: OK\r\n\r\n");
        await Assert.That(Value(announced, "Trailer")).IsEqualTo("X-Transfer-Status");
        await Assert.That(announced.Trailers).Contains("X-Transfer-Status: 200: OK");
        await Assert.That(Value(half, "Content-Length")).IsEqualTo("6");
    }

    [Test]
    [Arguments("xrootd55", "crc32c", "crc32c=4waSgw==")]
    [Arguments("xrootd55", "crc32", "crc32c=4waSgw==")]
    [Arguments("xrootd55", "sha-256;q=1, adler32;q=0.5", "crc32c=4waSgw==")]
    [Arguments("xrootd58", "md5", "md5=JfnnlDI7RTiF9RgfG2JNCw==")]
    [Arguments("xrootd58", "crc32c", "crc32c=e3069283")]
    [Arguments("xrootd58", "crc32", "crc32=377a6011")]
    [Arguments("xrootd58", "sha-256;q=1, adler32;q=0.5", "adler32=091e01de")]
    [Arguments("xrootd62", "crc32", "crc32=cbf43926")]
    [Arguments("xrootd62", "sha", "crc32c=e3069283")]
    [Arguments("xrootd62", "MD5", "md5=JfnnlDI7RTiF9RgfG2JNCw==")]
    [Arguments("pelican", "md5,crc32c", "md5=JfnnlDI7RTiF9RgfG2JNCw==,crc32c=e3069283")]
    public async Task Digests_are_spelt_by_version_5_2(string dialect, string wanted, string digest, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Named(dialect));
        federation.Origin.Store(Path, "123456789");

        Answer answer = await federation.AskAsync("HEAD", federation.Origin.Url + Path, cancellationToken, null, ("Want-Digest", wanted));

        await Assert.That(Value(answer, "Digest")).IsEqualTo(digest);
    }

    [Test]
    [Arguments("xrootd55", 405)]
    [Arguments("xrootd58", 403)]
    [Arguments("xrootd62", 405)]
    public async Task Want_Digest_spoils_a_request_where_none_is_configured_5_4(string dialect, int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Named(dialect));
        federation.Origin.HasDigests = false;

        Answer answer = await federation.AskAsync("GET", federation.Origin.Url + Path, cancellationToken, null, ("Want-Digest", "crc32c"));

        await Assert.That(answer.Status).IsEqualTo(status);
    }

    [Test]
    public async Task The_digest_is_stale_after_an_overwrite_in_the_same_second_5_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);
        string url = federation.Origin.Url + Path;
        DateTimeOffset second = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

        federation.Origin.Store(Path, "old"u8.ToArray(), second);
        Answer old = await federation.AskAsync("HEAD", url, cancellationToken, null, ("Want-Digest", "crc32c"));
        federation.Origin.Store(Path, "new!"u8.ToArray(), second.AddMilliseconds(900));
        Answer stale = await federation.AskAsync("HEAD", url, cancellationToken, null, ("Want-Digest", "crc32c"));
        Answer right = await federation.AskAsync("HEAD", url, cancellationToken, null, ("Want-Digest", "adler32"));
        federation.Origin.Store(Path, "new!"u8.ToArray(), second.AddSeconds(1));
        Answer later = await federation.AskAsync("HEAD", url, cancellationToken, null, ("Want-Digest", "crc32c"));

        await Assert.That(Value(stale, "Digest")).IsEqualTo(Value(old, "Digest"));
        await Assert.That(Value(right, "Digest")).IsEqualTo(Checksums.Header("adler32", "new!"u8));
        await Assert.That(Value(later, "Digest")).IsEqualTo(Checksums.Header("crc32c", "new!"u8));
    }

    [Test]
    public async Task The_digest_of_another_object_comes_unasked_from_5_5_5_7(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd55);
        federation.Origin.Store("/public/other", "123456789");

        await federation.AskAsync("HEAD", federation.Origin.Url + "/public/other", cancellationToken, null, ("Want-Digest", "adler32"));
        Answer get = await federation.AskAsync("GET", federation.Origin.Url + Path, cancellationToken);
        Answer head = await federation.AskAsync("HEAD", federation.Origin.Url + Path, cancellationToken);

        await Assert.That(Value(get, "Digest")).IsEqualTo("adler32=091e01de");
        await Assert.That(Value(head, "Digest")).IsNull();
    }

    [Test]
    public async Task A_collection_answers_GET_and_HEAD_as_if_it_were_an_object_3_2(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);

        Answer get = await federation.AskAsync("GET", federation.Origin.Url + "/public", cancellationToken, null, ("Range", "bytes=0-1"));
        Answer head = await federation.AskAsync("HEAD", federation.Origin.Url + "/public", cancellationToken);

        await Assert.That(get.Status).IsEqualTo(200);
        await Assert.That(get.Body).Contains("<html>");
        await Assert.That(head.Status).IsEqualTo(200);
        await Assert.That(Value(head, "Content-Length")).IsEqualTo("4096");
    }

    [Test]
    public async Task Hrefs_are_raw_and_executable_objects_look_like_collections_8(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62, Dialect.Pelican);
        foreach (Origin origin in federation.Origins)
        {
            origin.Store("/public/d/pc%41 a&b", "x");
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(origin.FileOf("/public/d/pc%41 a&b"), (UnixFileMode)0b111_101_101);
            }
        }

        Answer raw = await federation.AskAsync("PROPFIND", federation.Origins[0].Url + "/public/d", cancellationToken, null, ("Depth", "1"));
        Answer encoded = await federation.AskAsync(
            "PROPFIND", federation.Origins[1].Url + ObjectServer.DataPrefix + "/public/d/", cancellationToken, null, ("Depth", "1"));

        await Assert.That(raw.Status).IsEqualTo(207);
        await Assert.That(raw.Body).Contains("<D:href>/public/d</D:href>").And.Contains("<D:href>/public/d/pc%41 a&amp;b</D:href>");
        await Assert.That(raw.Body.Split("<D:response").Last()).Contains("<lp1:iscollection>0</lp1:iscollection>\n<lp1:executable>T</lp1:executable>\n<lp1:iscollection>1</lp1:iscollection>");
        await Assert.That(encoded.Body).Contains("<D:href>/api/v1.0/origin/data/public/d/pc%2541%20a%26b</D:href>");
    }

    [Test]
    public async Task An_object_with_a_slash_is_an_error_of_the_server_8_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd58);

        Answer answer = await federation.AskAsync("PROPFIND", federation.Origin.Url + Path + "/", cancellationToken, null, ("Depth", "1"));

        await Assert.That(answer.Status).IsEqualTo(500);
        await Assert.That(answer.Body).IsEqualTo("Unable to locate /public/f/; not a directory\n");
    }

    [Test]
    [Arguments("q%3Fmark1", "q")]
    [Arguments("n%00ul", "n")]
    [Arguments("bad%ZZtail", "bad")]
    [Arguments("a%252", "a%2")]
    public async Task Names_are_cut_with_every_sign_of_success_9(string sent, string stored, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);
        using RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);

        await client.SendAsync($"PUT /demo/{sent} HTTP/1.1\nContent-Length: 2\n\nhi", cancellationToken);
        string answer = await client.ReadUntilAsync(":-)", cancellationToken);

        await Assert.That(answer).StartsWith("HTTP/1.1 201 Created");
        await Assert.That(File.Exists(federation.Origin.FileOf("/demo/" + stored))).IsTrue();
    }

    private static Dialect Named(string name) => Dialect.All.Single(dialect => dialect.Name == name);

    private static async Task<TestFederation> StartAsync(params Dialect[] dialects)
    {
        TestFederation federation = await TestFederation.StartAsync(new() { Origins = dialects, Caches = [], Tls = false });
        foreach (Origin origin in federation.Origins)
        {
            origin.Store(Path, "abcdef");
        }

        return federation;
    }

    private static async Task<string> RawGetAsync(Origin origin, string headers, CancellationToken cancellationToken)
    {
        using RawClient client = await RawClient.ConnectAsync(origin.Url, cancellationToken);
        await client.SendAsync($"GET {Path} HTTP/1.1\nConnection: close\n{headers}\n\n", cancellationToken);
        return await client.ReadToEndAsync(cancellationToken);
    }

    private static string? Value(Answer answer, string name) =>
        answer.Headers.Split('\n').FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();
}
