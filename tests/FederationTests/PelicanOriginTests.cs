using Microsoft.Extensions.Time.Testing;
using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>The origin as pelican-servers.md describes it; the numbers are its sections, the answers those of its transcripts.</summary>
public sealed class PelicanOriginTests
{
    private const string Path = "/demo/d/one.txt";

    [Test]
    public async Task GET_has_no_digest_and_another_tag_than_HEAD_3_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string url = federation.Origin.Url + Path;

        Answer get = await federation.AskAsync("GET", url, cancellationToken, null, ("Want-Digest", "crc32c"), ("X-Transfer-Status", "true"), ("TE", "trailers"));
        Answer head = await federation.AskAsync("HEAD", url, cancellationToken, null, ("Want-Digest", "crc32c,md5,sha-256,adler32"));
        Answer unasked = await federation.AskAsync("HEAD", url + "/", cancellationToken);
        Answer quality = await federation.AskAsync("HEAD", url, cancellationToken, null, ("Want-Digest", "MD5;q=0.5, crc32;q=1"));

        await Assert.That(get.Headers).Contains("Content-Length: 3").And.Contains("Accept-Ranges: bytes").And.Contains("text/plain; charset=utf-8");
        await Assert.That(get.Headers).DoesNotContain("Digest").And.DoesNotContain("Server").And.DoesNotContain("Trailer");
        await Assert.That(head.Headers).Contains("Digest: crc32c=1bdcb083,md5=dk76iD3aHhHbR2ccSju9ng==");
        await Assert.That(unasked.Headers).Contains("Digest: crc32c=1bdcb083");
        await Assert.That(quality.Headers).DoesNotContain("Digest:");
        await Assert.That(Tag(get)).Length().IsEqualTo(18);
        await Assert.That(Tag(head)).IsNotEqualTo(Tag(get));
    }

    [Test]
    [Arguments("GET", "/demo/d", 405, "Method Not Allowed")]
    [Arguments("GET", "/demo/d/", 405, "Method Not Allowed")]
    [Arguments("GET", "/demo/none", 404, "Not Found")]
    [Arguments("GET", "/demo/d/one.txt/x", 404, "Not Found")]
    [Arguments("GET", "/nowhere/x", 404, "404 page not found")]
    [Arguments("PROPFIND", "/demo/d/one.txt/x", 405, "Method Not Allowed")]
    [Arguments("PROPFIND", "/demo/none", 404, "Not Found")]
    [Arguments("DELETE", "/demo/none", 404, "Not Found")]
    [Arguments("DELETE", "/demo/d/one.txt/x", 405, "Method Not Allowed")]
    [Arguments("DELETE", "/demo/", 405, "Method Not Allowed")]
    [Arguments("MKCOL", "/demo/d", 201, "Created")]
    [Arguments("MKCOL", "/demo/new/and/below", 201, "Created")]
    [Arguments("MKCOL", "/demo/d/one.txt", 405, "Method Not Allowed")]
    [Arguments("PUT", "/demo/d", 409, "Conflict")]
    [Arguments("PUT", "/demo/d/one.txt/y", 404, "Not Found")]
    [Arguments("PATCH", "/demo/d", 400, "Bad Request")]
    [Arguments("FOO", "/demo/d", 405, "Method Not Allowed")]
    public async Task Every_status_comes_with_its_reason_as_text_3_7_8_9(string method, string path, int status, string text, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();

        Answer answer = await federation.AskAsync(method, federation.Origin.Url + path, cancellationToken, method == "PUT" ? "x" : null);

        await Assert.That((answer.Status, answer.Body)).IsEqualTo((status, text));
        await Assert.That(federation.Origin.Load(Path).Length).IsEqualTo(3);
        await Assert.That(federation.Origin.Failures).IsEmpty();
    }

    [Test]
    public async Task A_browser_gets_a_page_and_the_root_of_a_namespace_a_slash_3(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();

        Answer page = await federation.AskAsync("GET", federation.Origin.Url + "/demo/d", cancellationToken, null, ("Accept", "text/html"));
        Answer get = await federation.AskAsync("GET", federation.Origin.Url + "/demo", cancellationToken);
        Answer list = await federation.AskAsync("PROPFIND", federation.Origin.Url + ObjectServer.DataPrefix + "/demo", cancellationToken);

        await Assert.That(page.Status).IsEqualTo(200);
        await Assert.That(page.Headers).Contains("no-store");
        await Assert.That((get.Status, list.Status)).IsEqualTo((301, 307));
        await Assert.That(list.Headers).Contains("Location: /api/v1.0/origin/data/demo/").And.DoesNotContain("Server");
    }

    [Test]
    public async Task Conditions_know_the_tag_of_their_own_verb_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string url = federation.Origin.Url + Path;
        string get = Tag(await federation.AskAsync("GET", url, cancellationToken));
        string head = Tag(await federation.AskAsync("HEAD", url, cancellationToken));

        async Task<int> Status(string method, string name, string value) =>
            (await federation.AskAsync(method, url, cancellationToken, method == "PUT" ? "hi\n" : null, (name, value))).Status;

        await Assert.That(await Status("GET", "If-None-Match", get)).IsEqualTo(304);
        await Assert.That(await Status("HEAD", "If-None-Match", get)).IsEqualTo(200);
        await Assert.That(await Status("HEAD", "If-None-Match", "*")).IsEqualTo(304);
        await Assert.That(await Status("GET", "If-Match", get)).IsEqualTo(412);
        await Assert.That(await Status("PUT", "If-Match", get)).IsEqualTo(412);
        await Assert.That(await Status("PUT", "If-None-Match", "*")).IsEqualTo(412);
        await Assert.That(await Status("PUT", "If-Match", head)).IsEqualTo(201);
        await Assert.That((await federation.AskAsync("GET", url, cancellationToken, null, ("Range", "bytes=1-"), ("If-Range", get))).Status).IsEqualTo(200);
    }

    [Test]
    [Arguments("bytes=1-", 206, "bytes 1-2/3", "i\n")]
    [Arguments("bytes=-1", 206, "bytes 2-2/3", "\n")]
    [Arguments("bytes=0-9", 206, "bytes 0-2/3", "hi\n")]
    [Arguments("bytes=100-", 416, "bytes */3", "invalid range: failed to overlap\n")]
    [Arguments("bytes=2-1", 416, null, "invalid range\n")]
    [Arguments("bytes=0-0,2-2", 206, null, null)]
    public async Task Ranges_are_right_6_3(string range, int status, string? told, string? body, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();

        Answer answer = await federation.AskAsync("GET", federation.Origin.Url + Path, cancellationToken, null, ("Range", range));

        await Assert.That(answer.Status).IsEqualTo(status);
        await Assert.That(answer.Headers.Contains("Content-Range: " + told, StringComparison.Ordinal)).IsEqualTo(told is not null);
        await Assert.That(body ?? answer.Body).IsEqualTo(answer.Body);
        await Assert.That(answer.Headers.Contains("multipart/byteranges", StringComparison.Ordinal)).IsEqualTo(range.Contains(',', StringComparison.Ordinal));
    }

    [Test]
    public async Task Hrefs_have_the_prefix_and_collections_a_slash_and_named_properties_are_enough_9(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Store("/demo/d/a b%c+é.txt", "four");
        federation.Origin.Store("/demo/d/sub/deep", "x");
        string url = federation.Origin.Url + ObjectServer.DataPrefix + "/demo/d";

        Answer list = await federation.AskAsync("PROPFIND", url, cancellationToken, null, ("Depth", "1"));
        Answer all = await federation.AskAsync("PROPFIND", url, cancellationToken);
        Answer named = await federation.AskAsync("PROPFIND", url, cancellationToken,
            "<?xml version=\"1.0\"?><propfind xmlns=\"DAV:\"><prop><getcontentlength/></prop></propfind>", ("Depth", "0"));

        await Assert.That(list.Status).IsEqualTo(207);
        await Assert.That(list.Body).Contains("<D:href>/api/v1.0/origin/data/demo/d/</D:href>")
            .And.Contains("<D:href>/api/v1.0/origin/data/demo/d/a%20b%25c%2B%C3%A9.txt</D:href>").And.DoesNotContain("deep");
        await Assert.That(all.Body).Contains("/demo/d/sub/deep</D:href>");
        await Assert.That(named.Body).Contains("<D:getcontentlength></D:getcontentlength></D:prop><D:status>HTTP/1.1 404 Not Found").And.DoesNotContain("resourcetype");
    }

    [Test]
    public async Task Each_token_is_judged_for_one_scope_and_creating_replaces_10(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Store("/protected/f", "old");

        async Task<Answer> Ask(string method, string scope) => await federation.AskAsync(method, federation.Origin.Url + "/protected/f", cancellationToken,
            method == "PUT" ? "new" : null, ("Authorization", "Bearer " + federation.Issuer.CreateToken(scope)));

        await Assert.That((await Ask("PUT", "storage.modify:/")).Status).IsEqualTo(401);
        await Assert.That((await Ask("PUT", "storage.create:/")).Status).IsEqualTo(201);
        await Assert.That((await Ask("HEAD", "storage.modify:/ storage.create:/")).Status).IsEqualTo(401);
        await Assert.That((await Ask("PROPFIND", "storage.modify:/")).Status).IsEqualTo(401);
        await Assert.That((await Ask("GET", "read:/")).Status).IsEqualTo(401);
        await Assert.That((await Ask("DELETE", "storage.create:/")).Body)
            .IsEqualTo("{\"detail\":\"authorization failed for storage.modify /protected/f; tried 1 token(s)\",\"error\":\"unauthorized\"}");
        await Assert.That((await Ask("DELETE", "storage.modify:/")).Status).IsEqualTo(204);
    }

    [Test]
    public async Task An_expired_token_is_taken_for_a_minute_10_2(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican], Caches = [], Clock = clock });
        federation.Origin.Store("/protected/f", "x");
        (string, string) token = ("Authorization", "Bearer " + federation.Issuer.CreateToken("storage.read:/", TimeSpan.FromSeconds(10)));

        clock.Advance(TimeSpan.FromSeconds(40));
        Answer soon = await federation.AskAsync("GET", federation.Origin.Url + "/protected/f", cancellationToken, null, token);
        clock.Advance(TimeSpan.FromSeconds(60));
        Answer late = await federation.AskAsync("GET", federation.Origin.Url + "/protected/f", cancellationToken, null, token);

        await Assert.That((soon.Status, late.Status)).IsEqualTo((200, 401));
    }

    [Test]
    public async Task DELETE_takes_a_collection_with_all_that_is_in_it_8(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();

        Answer answer = await federation.AskAsync("DELETE", federation.Origin.Url + "/demo/d", cancellationToken);

        await Assert.That(answer.Status).IsEqualTo(204);
        await Assert.That(federation.Origin.Exists("/demo/d")).IsFalse();
    }

    [Test]
    public async Task MOVE_replaces_on_demand_alone_and_stays_in_its_export_8_3(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Store("/demo/new one", "new");

        async Task<int> Move(string to, string? overwrite) => (await federation.AskAsync("MOVE", federation.Origin.Url + "/demo/new%20one", cancellationToken, null,
            overwrite is null ? [("Destination", to)] : [("Destination", to), ("Overwrite", overwrite)])).Status;

        await Assert.That(await Move(federation.Origin.Url + Path, null)).IsEqualTo(412);
        await Assert.That(await Move(federation.Origin.Url + Path, "F")).IsEqualTo(412);
        await Assert.That(await Move(federation.Origin.Url + "/public/x", "T")).IsEqualTo(403);
        await Assert.That(await Move(federation.Origin.Url + ObjectServer.DataPrefix + Path, "T")).IsEqualTo(201);
        await Assert.That(federation.Origin.Load(Path)).IsEquivalentTo("new"u8.ToArray());
    }

    [Test]
    public async Task While_a_PUT_runs_its_part_is_seen_and_others_are_locked_out_7(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string url = federation.Origin.Url + Path;
        Gate gate = new(2);
        federation.Origin.Faults.Add(new Fault(request => request.Method == "PUT", FaultAction.HoldUpload(gate), 1));
        Task<Answer> first = federation.AskAsync("PUT", url, cancellationToken, "abcdef");
        await gate.Blocked.WaitAsync(cancellationToken);

        Answer get = await federation.AskAsync("GET", url, cancellationToken);
        Answer put = await federation.AskAsync("PUT", url, cancellationToken, "x");
        Answer delete = await federation.AskAsync("DELETE", url, cancellationToken);
        Answer move = await federation.AskAsync("MOVE", url, cancellationToken, null, ("Destination", federation.Origin.Url + "/demo/x"));
        gate.Open();

        await Assert.That(get.Body).IsEqualTo("ab");
        await Assert.That((put.Status, delete.Status, move.Status)).IsEqualTo((423, 423, 423));
        await Assert.That((await first).Status).IsEqualTo(201);
    }

    [Test]
    public async Task A_PUT_that_is_cut_leaves_its_part_and_keeps_the_lock_for_a_while_7(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string url = federation.Origin.Url + Path;
        federation.Origin.LockGate = new Gate();
        federation.Origin.Faults.Add("PUT", Path, FaultAction.CutUploadAfter(2, Ending.Reset), 1);
        Task<Answer> cut = federation.AskAsync("PUT", url, cancellationToken, "abcdef");
        await federation.Origin.LockGate.Blocked.WaitAsync(cancellationToken);

        Answer locked = await federation.AskAsync("DELETE", url, cancellationToken);
        federation.Origin.LockGate.Open();
        await Assert.That(async () => await cut).Throws<HttpRequestException>();
        Answer free = await federation.AskAsync("DELETE", url, cancellationToken);

        await Assert.That((locked.Status, free.Status)).IsEqualTo((423, 204));
    }

    [Test]
    public async Task A_refusal_comes_after_the_body_and_without_a_100_7_5(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican], Caches = [], Tls = false });
        using RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);
        await client.SendAsync("PUT /protected/x HTTP/1.1\nContent-Length: 300000\nExpect: 100-continue\n\n", cancellationToken);
        Request put = await federation.Origin.WaitForRequestAsync(_ => true, cancellationToken);

        await client.SendAsync(new string('x', 256 * 1024), cancellationToken);
        string answer = await client.ReadToEndAsync(cancellationToken);

        await Assert.That(answer).StartsWith("HTTP/1.1 401 Unauthorized").And.Contains("\r\nConnection: close\r\n");
        await Assert.That(put.BytesReceived).IsEqualTo(256 * 1024);
        await Assert.That(federation.Origin.Exists("/protected/x")).IsFalse();
    }

    [Test]
    [Arguments(false, "abcd")]
    [Arguments(true, "hi\n")]
    public async Task A_full_disk_is_507_and_leaves_a_part_unless_POSC_is_on_16(bool posc, string left, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(posc);
        federation.Origin.SpaceLeft = 4;

        Answer answer = await federation.AskAsync("PUT", federation.Origin.Url + Path, cancellationToken, "abcdef");

        await Assert.That((answer.Status, answer.Body)).IsEqualTo((507, "Insufficient Storage"));
        await Assert.That(System.Text.Encoding.ASCII.GetString(federation.Origin.Load(Path))).IsEqualTo(left);
    }

    private static string Tag(Answer answer) => answer.Headers.Split('\n').Single(line => line.StartsWith("ETag: ", StringComparison.OrdinalIgnoreCase))[6..].Trim();

    private static async Task<TestFederation> StartAsync(bool posc = false)
    {
        TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican with { Posc = posc }], Caches = [], Tls = false });
        federation.Origin.Store(Path, "hi\n");
        return federation;
    }
}
