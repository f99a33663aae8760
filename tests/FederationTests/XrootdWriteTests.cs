using Microsoft.Extensions.Time.Testing;
using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>PUT, DELETE, MOVE, COPY and authorization as xrootd.md describes them; the numbers are its sections.</summary>
public sealed class XrootdWriteTests
{
    private const string Path = "/demo/f";

    [Test]
    [Arguments("xrootd55", 200, "OK")]
    [Arguments("xrootd58", 201, "Unknown")]
    [Arguments("xrootd62", 201, "Created")]
    public async Task Success_of_PUT_is_told_by_version_and_overwrites_6(string dialect, int status, string reason, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Named(dialect));
        federation.Origin.Store(Path, "old");

        Answer answer = await federation.AskAsync("PUT", federation.Origin.Url + Path, cancellationToken, "new", ("If-None-Match", "*"));

        await Assert.That((answer.Status, answer.Reason, answer.Body)).IsEqualTo((status, reason, ":-)"));
        await Assert.That(Text(federation.Origin)).IsEqualTo("new");
    }

    [Test]
    public async Task Overwrite_F_protects_in_6_2_alone_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd58, Dialect.Xrootd62);
        foreach (Origin origin in federation.Origins)
        {
            origin.Store(Path, "old");
            await federation.AskAsync("PUT", origin.Url + Path, cancellationToken, "new", ("Overwrite", "F"));
        }

        await Assert.That(Text(federation.Origins[0])).IsEqualTo("new");
        await Assert.That(Text(federation.Origins[1])).IsEqualTo("old");
    }

    [Test]
    public async Task A_PUT_that_is_cut_leaves_its_part_under_the_final_name_6_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62, Dialect.Pelican with { Posc = true });
        foreach (Origin origin in federation.Origins)
        {
            origin.Store(Path, "the old content");
            origin.Faults.Add("PUT", Path, FaultAction.CutUploadAfter(3, Ending.Reset));

            await Assert.That(async () => await federation.AskAsync("PUT", origin.Url + Path, cancellationToken, "abcdef"))
                .Throws<HttpRequestException>();
        }

        await Assert.That(Text(federation.Origins[0])).IsEqualTo("abc");
        await Assert.That(Text(federation.Origins[1])).IsEqualTo("the old content");
    }

    [Test]
    public async Task A_client_that_leaves_also_leaves_its_part_6_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd58);
        using (RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken))
        {
            await client.SendAsync($"PUT {Path} HTTP/1.1\nContent-Length: 50\n\n0123456789", cancellationToken);
        }

        Request put = await federation.Origin.WaitForRequestAsync(request => request.Method == "PUT", cancellationToken);
        await put.Answered.WaitAsync(cancellationToken);

        await Assert.That(put.Status).IsEqualTo(0);
        await Assert.That(Text(federation.Origin)).IsEqualTo("0123456789");
    }

    [Test]
    public async Task An_object_that_is_being_written_is_locked_2_4(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd58, Dialect.Xrootd62);
        List<(int, int)> statuses = [];
        foreach (Origin origin in federation.Origins)
        {
            Gate gate = new(2);
            origin.Faults.Add(new Fault(request => request.Method == "PUT", FaultAction.HoldUpload(gate), 1));
            Task<Answer> first = federation.AskAsync("PUT", origin.Url + Path, cancellationToken, "abcdef");
            await gate.Blocked.WaitAsync(cancellationToken);

            Answer get = await federation.AskAsync("GET", origin.Url + Path, cancellationToken);
            Answer second = await federation.AskAsync("PUT", origin.Url + Path, cancellationToken, "x");
            statuses.Add((get.Status, second.Status));
            await Assert.That(Text(origin)).IsEqualTo("ab");

            gate.Open();
            await first;
            await Assert.That(Text(origin)).IsEqualTo("abcdef");
        }

        await Assert.That(statuses[0]).IsEqualTo((423, 423));
        await Assert.That(statuses[1]).IsEqualTo((500, 500));
    }

    [Test]
    public async Task A_full_disk_resets_5_x_and_is_507_in_6_2_and_both_keep_the_part_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd55, Dialect.Xrootd62);
        foreach (Origin origin in federation.Origins)
        {
            origin.SpaceLeft = 4;
        }

        await Assert.That(async () => await federation.AskAsync("PUT", federation.Origins[0].Url + Path, cancellationToken, "abcdef"))
            .Throws<HttpRequestException>();
        Answer full = await federation.AskAsync("PUT", federation.Origins[1].Url + Path, cancellationToken, "abcdef");

        await Assert.That(full.Status).IsEqualTo(507);
        await Assert.That(Text(federation.Origins[0])).IsEqualTo("abcd");
        await Assert.That(Text(federation.Origins[1])).IsEqualTo("abcd");
    }

    [Test]
    public async Task A_refused_PUT_is_answered_at_once_says_keep_alive_and_closes_6_4(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);
        using RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);

        await client.SendAsync("PUT /protected/x HTTP/1.1\nContent-Length: 3000000\n\n", cancellationToken);
        string answer = await client.ReadToEndAsync(cancellationToken);

        await Assert.That(answer).StartsWith("HTTP/1.1 403 Forbidden").And.Contains("Connection: Keep-Alive").And.EndsWith("permission denied\n");
    }

    [Test]
    public async Task A_refused_PUT_of_many_bytes_leaves_its_answer_to_be_read_6_4(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);
        using RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);
        await client.SendAsync("PUT /protected/x HTTP/1.1\nContent-Length: 30000000\n\n", cancellationToken);

        await Assert.That(async () => await client.SendAsync(new string('x', 30_000_000), cancellationToken)).Throws<IOException>();
        string answer = await client.ReadToEndAsync(cancellationToken);

        await Assert.That(answer).StartsWith("HTTP/1.1 403 Forbidden");
    }

    [Test]
    public async Task Continue_comes_with_a_close_that_means_nothing_and_never_for_an_empty_body_6_3(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);
        using RawClient client = await RawClient.ConnectAsync(federation.Origin.Url, cancellationToken);

        await client.SendAsync($"PUT {Path} HTTP/1.1\nContent-Length: 2\nExpect: 100-continue\n\n", cancellationToken);
        string interim = await client.ReadUntilAsync("\r\n\r\n", cancellationToken);
        await client.SendAsync("hi", cancellationToken);
        string final = await client.ReadUntilAsync(":-)", cancellationToken);
        await client.SendAsync("PUT /demo/empty HTTP/1.1\nContent-Length: 0\nExpect: 100-continue\n\n", cancellationToken);
        Task<string> silence = client.ReadToEndAsync(cancellationToken);
        Request empty = await federation.Origin.WaitForRequestAsync(request => request.Path == "/demo/empty", cancellationToken);

        await Assert.That(interim).IsEqualTo("HTTP/1.1 100 Continue\r\nConnection: Close\r\nServer: XRootD\r\n\r\n");
        await Assert.That(final).StartsWith("HTTP/1.1 201");
        await federation.Origin.DownAsync();
        await Assert.That(await silence).DoesNotContain("201").And.EndsWith("<reset>");
        await Assert.That(empty.Status).IsEqualTo(0);
    }

    [Test]
    public async Task Header_names_count_by_case_in_5_5_2_3(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd55, Dialect.Xrootd62);
        foreach (Origin origin in federation.Origins)
        {
            using RawClient client = await RawClient.ConnectAsync(origin.Url, cancellationToken);
            await client.SendAsync($"PUT {Path} HTTP/1.1\ncontent-length: 2\n\nhi", cancellationToken);
            await client.ReadUntilAsync(":-)", cancellationToken);
        }

        await Assert.That(Text(federation.Origins[0])).IsEqualTo("");
        await Assert.That(Text(federation.Origins[1])).IsEqualTo("hi");
    }

    [Test]
    public async Task One_403_tells_nothing_of_a_token_and_the_query_wins_10(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);
        federation.Origin.Store("/protected/f", "x");
        string url = federation.Origin.Url + "/protected/f";
        string good = federation.Issuer.CreateToken("storage.read:/");

        Answer lower = await federation.AskAsync("GET", url, cancellationToken, null, ("Authorization", "bearer " + good));
        Answer capital = await federation.AskAsync("GET", url, cancellationToken, null, ("Authorization", "Bearer " + good));
        Answer query = await federation.AskAsync("GET", url + "?authz=bad", cancellationToken, null, ("Authorization", "Bearer " + good));
        Answer alone = await federation.AskAsync("GET", url + "?authz=Bearer%20" + good, cancellationToken);

        await Assert.That((lower.Status, lower.Body)).IsEqualTo((403, "Unable to open /protected/f; permission denied\n"));
        await Assert.That(lower.Headers).DoesNotContain("WWW-Authenticate");
        await Assert.That((capital.Status, query.Status, alone.Status)).IsEqualTo((200, 403, 200));
    }

    [Test]
    [Arguments("xrootd55", 403, 403)]
    [Arguments("xrootd58", 200, 200)]
    public async Task A_token_to_modify_may_not_look_or_delete_in_5_5_10(string dialect, int head, int delete, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Named(dialect));
        string url = federation.Origin.Url + "/protected/f";
        (string, string) token = ("Authorization", "Bearer " + federation.Issuer.CreateToken("storage.modify:/"));

        Answer put = await federation.AskAsync("PUT", url, cancellationToken, "x", token);
        Answer look = await federation.AskAsync("HEAD", url, cancellationToken, null, token);
        Answer gone = await federation.AskAsync("DELETE", url, cancellationToken, null, token);

        await Assert.That(put.Status).IsLessThan(300);
        await Assert.That((look.Status, gone.Status)).IsEqualTo((head, delete));
    }

    [Test]
    [Arguments("xrootd58", 200, 403)]
    [Arguments("xrootd62", 403, 403)]
    public async Task A_token_is_accepted_a_minute_too_long_by_5_x_10(string dialect, int soon, int later, CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Named(dialect)], Caches = [], Clock = clock });
        federation.Origin.Store("/protected/f", "x");
        string url = federation.Origin.Url + "/protected/f";
        (string, string) token = ("Authorization", "Bearer " + federation.Issuer.CreateToken("storage.read:/", TimeSpan.FromSeconds(3)));

        await federation.AskAsync("GET", url, cancellationToken, null, token);
        clock.Advance(TimeSpan.FromSeconds(58));
        Answer expired = await federation.AskAsync("GET", url, cancellationToken, null, token);
        clock.Advance(TimeSpan.FromSeconds(5));
        Answer longExpired = await federation.AskAsync("GET", url, cancellationToken, null, token);

        await Assert.That((expired.Status, longExpired.Status)).IsEqualTo((soon, later));
    }

    [Test]
    [Arguments("xrootd55", 500)]
    [Arguments("xrootd58", 405)]
    [Arguments("xrootd62", 409)]
    public async Task A_full_collection_is_not_deleted_2_4(string dialect, int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Named(dialect));
        federation.Origin.Store("/demo/d/x", "x");

        Answer answer = await federation.AskAsync("DELETE", federation.Origin.Url + "/demo/d", cancellationToken);

        await Assert.That(answer.Status).IsEqualTo(status);
        await Assert.That(federation.Origin.Exists("/demo/d/x")).IsTrue();
    }

    [Test]
    public async Task MOVE_overwrites_and_does_not_decode_7_3(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(Dialect.Xrootd62);
        federation.Origin.Store(Path, "x");

        Answer answer = await federation.AskAsync("MOVE", federation.Origin.Url + Path, cancellationToken, null,
            ("Destination", "https://any.example/demo/a%20b"), ("Overwrite", "F"));

        await Assert.That(answer.Status).IsEqualTo(201);
        await Assert.That(federation.Origin.Exists("/demo/a%20b")).IsTrue();
    }

    [Test]
    [Arguments("xrootd58", 201)]
    [Arguments("xrootd62", 202)]
    public async Task COPY_pulls_with_the_other_servers_token_11(string dialect, int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Named(dialect), Dialect.Xrootd62] });
        federation.Origins[1].Store("/protected/f", "content");
        string token = federation.Issuer.CreateToken("storage.read:/");

        Answer copied = await federation.AskAsync("COPY", federation.Origins[0].Url + Path, cancellationToken, null,
            ("Source", federation.Origins[1].Url + "/protected/f"), ("TransferHeaderAuthorization", "Bearer " + token));
        Answer refused = await federation.AskAsync("COPY", federation.Origins[0].Url + "/demo/g", cancellationToken, null,
            ("Source", federation.Origins[1].Url + "/protected/f"));

        await Assert.That(copied.Status).IsEqualTo(status);
        await Assert.That(copied.Body).EndsWith("success: Created");
        await Assert.That(Text(federation.Origin)).IsEqualTo("content");
        await Assert.That(refused.Status).IsEqualTo(dialect == "xrootd62" ? 403 : 500);
    }

    [Test]
    public async Task A_COPY_that_fails_leaves_an_emptied_object_in_5_5_11_3(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Xrootd55, Dialect.Xrootd62] });
        federation.Origins[0].Store(Path, "old");

        Answer answer = await federation.AskAsync("COPY", federation.Origins[0].Url + Path, cancellationToken, null,
            ("Source", federation.Origins[1].Url + "/public/missing"));

        await Assert.That(answer.Status).IsEqualTo(201);
        await Assert.That(answer.Body).Contains("failure: Remote side failed with status code 404");
        await Assert.That(Text(federation.Origin)).IsEqualTo("");
    }

    private static Dialect Named(string name) => Dialect.All.Single(dialect => dialect.Name == name);

    private static Task<TestFederation> StartAsync(params Dialect[] dialects) =>
        TestFederation.StartAsync(new() { Origins = dialects, Caches = [], Tls = false });

    private static string Text(Origin origin) => File.ReadAllText(origin.FileOf(Path));
}
