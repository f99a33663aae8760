using Microsoft.Extensions.Time.Testing;
using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>Cache and director as pelican-servers.md describes them, in one process and apart; the numbers are its sections.</summary>
public sealed class PelicanCacheTests
{
    private const string Path = "/demo/d/one.txt";

    [Test]
    public async Task A_whole_object_comes_with_age_and_four_digests_4(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string url = federation.Cache.DataUrl + Path;

        Answer cold = await federation.AskAsync("HEAD", url, cancellationToken);
        Answer get = await federation.AskAsync("GET", url, cancellationToken);
        Answer head = await federation.AskAsync("HEAD", url, cancellationToken, null, ("Range", "bytes=1-"));
        Answer range = await federation.AskAsync("GET", url, cancellationToken, null, ("Range", "bytes=1-"));
        Answer trailer = await federation.AskAsync("GET", url, cancellationToken, null, ("X-Transfer-Status", "true"), ("TE", "trailers"));

        const string Digests = "Digest: md5=dk76iD3aHhHbR2ccSju9ng==, crc32c=1bdcb083, crc32=ed6f7a7a, sha=VcpihuPk9Pul0ESDM/qZ/FpASnM=";
        await Assert.That(cold.Headers).Contains(Digests).And.Contains("no-cache").And.DoesNotContain("Age:").And.DoesNotContain("ETag:");
        await Assert.That(get.Headers).Contains(Digests).And.Contains("Age: 0").And.Contains("max-age=").And.Contains("Last-Modified").And.Contains("Server: pelican/7.27.0");
        await Assert.That(head.Status).IsEqualTo(200);
        await Assert.That(head.Headers).Contains(Digests).And.Contains("Age: 0").And.DoesNotContain("Last-Modified").And.DoesNotContain("Content-Type:");
        await Assert.That((range.Status, range.Body)).IsEqualTo((206, "i\n"));
        await Assert.That(range.Headers).Contains(Digests);
        await Assert.That((trailer.Body, trailer.Trailers.Trim())).IsEqualTo(("hi\n", "X-Transfer-Status: 200: OK"));
    }

    [Test]
    public async Task Of_a_range_it_keeps_neither_digest_nor_age_and_the_other_tag_4_5_6(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string url = federation.Cache.DataUrl + Path;

        Answer range = await federation.AskAsync("GET", url, cancellationToken, null, ("Range", "bytes=1-"));
        Answer partly = await federation.AskAsync("HEAD", url, cancellationToken);
        Answer origin = await federation.AskAsync("HEAD", federation.Origin.DataUrl + Path, cancellationToken);

        await Assert.That(range.Status).IsEqualTo(206);
        await Assert.That(range.Headers + partly.Headers).DoesNotContain("Digest:").And.DoesNotContain("Age:");
        await Assert.That(partly.Headers).Contains(origin.Headers.Split('\n').Single(line => line.StartsWith("ETag:", StringComparison.Ordinal)));
    }

    [Test]
    public async Task What_was_replaced_is_served_as_it_was_until_it_is_stale_11(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
        await using TestFederation federation = await StartAsync(clock: clock);
        string url = federation.Cache.DataUrl + Path;
        await federation.AskAsync("GET", url, cancellationToken);

        clock.Advance(TimeSpan.FromHours(22));
        federation.Origin.Store(Path, "longer than before");
        Answer old = await federation.AskAsync("GET", url, cancellationToken, null, ("Cache-Control", "no-cache"));
        clock.Advance(TimeSpan.FromHours(2));
        Answer renewed = await federation.AskAsync("GET", url, cancellationToken);

        await Assert.That(old.Body).IsEqualTo("hi\n");
        await Assert.That(old.Headers).Contains("Age: 79200").And.Contains("crc32c=1bdcb083");
        await Assert.That(renewed.Body).IsEqualTo("longer than before");
        await Assert.That(renewed.Headers).Contains("Age: 0");
    }

    [Test]
    public async Task Hrefs_are_of_three_kinds_and_what_is_not_cached_is_the_origins_9(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string url = federation.Cache.DataUrl + Path;
        (string, string) token = ("Authorization", "Bearer " + federation.Issuer.CreateToken("storage.read:/"));

        Answer cold = await federation.AskAsync("PROPFIND", url, cancellationToken, null, ("Depth", "0"), token);
        await federation.AskAsync("GET", url, cancellationToken);
        Answer warm = await federation.AskAsync("PROPFIND", url, cancellationToken, null, ("Depth", "0"));
        Answer listing = await federation.AskAsync("PROPFIND", url, cancellationToken, null, ("Depth", "1"));
        Answer origin = await federation.AskAsync("PROPFIND", federation.Origin.DataUrl + Path, cancellationToken, null, ("Depth", "0"));

        await Assert.That(cold.Status).IsEqualTo(307);
        await Assert.That(cold.Headers).Contains($"Location: {federation.Director.Url}/api/v1.0/origin/data{Path}?authz=ey").And.Contains("Link: <").And.Contains("X-Pelican-Namespace");
        await Assert.That(warm.Body).Contains($"<D:href>{Path}</D:href>");
        await Assert.That(listing.Status).IsEqualTo(307);
        await Assert.That(origin.Body).Contains($"<D:href>/api/v1.0/origin/data{Path}</D:href>");
    }

    [Test]
    [Arguments("GET", "/demo/none", null, 404)]
    [Arguments("GET", "/demo/d", null, 405)]
    [Arguments("GET", "/demo/d/one.txt/x", null, 404)]
    [Arguments("HEAD", "/demo/d/one.txt/x", null, 500)]
    [Arguments("GET", "/nowhere", null, 403)]
    [Arguments("GET", "/protected/x", null, 403)]
    [Arguments("GET", "/demo/d/one.txt", "only-if-cached", 504)]
    public async Task Its_refusals_are_JSON_4(string method, string path, string? cacheControl, int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();

        Answer answer = await federation.AskAsync(
            method, federation.Cache.DataUrl + path, cancellationToken, null, cacheControl is null ? [] : [("Cache-Control", cacheControl)]);

        await Assert.That(answer.Status).IsEqualTo(status);
        await Assert.That(answer.Body.StartsWith("{\"detail\":", StringComparison.Ordinal)).IsEqualTo(method == "GET" && cacheControl is null);
    }

    [Test]
    public async Task A_dead_origin_is_told_in_four_ways_16_1(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Origin.Store("/demo/half", "half");
        await federation.AskAsync("GET", federation.Cache.DataUrl + Path, cancellationToken);
        await federation.AskAsync("GET", federation.Cache.DataUrl + "/demo/half", cancellationToken, null, ("Range", "bytes=0-1"));
        await federation.Origin.DownAsync();

        async Task<Answer> Ask(string method, string path, params (string, string)[] headers) =>
            await federation.AskAsync(method, federation.Cache.DataUrl + path, cancellationToken, method == "PUT" ? "x" : null, headers);

        await Assert.That((await Ask("GET", Path)).Status).IsEqualTo(200);
        await Assert.That((await Ask("GET", "/demo/none")).Status).IsEqualTo(500);
        await Assert.That((await Ask("HEAD", "/demo/none")).Status).IsEqualTo(504);
        await Assert.That((await Ask("PUT", "/demo/none")).Status).IsEqualTo(504);
        Answer half = await Ask("GET", "/demo/half", ("X-Transfer-Status", "true"), ("TE", "trailers"));
        await Assert.That((half.Status, half.Body)).IsEqualTo((200, ""));
        await Assert.That(half.Trailers).Contains("500: failed to fetch blocks");
        await Assert.That(async () => await Ask("GET", "/demo/half")).Throws<HttpRequestException>();
    }

    [Test]
    public async Task A_PUT_at_a_cache_loses_its_condition_and_drops_the_copy_4(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        await federation.AskAsync("GET", federation.Cache.DataUrl + Path, cancellationToken);

        Answer put = await federation.AskAsync("PUT", federation.Cache.DataUrl + Path, cancellationToken, "new", ("If-None-Match", "*"));
        Answer get = await federation.AskAsync("GET", federation.Cache.DataUrl + Path, cancellationToken);

        await Assert.That((put.Status, get.Body)).IsEqualTo((201, "new"));
    }

    [Test]
    public async Task A_director_redirects_its_root_and_numbers_its_errors_2(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Namespaces.Set(new FederationNamespace("/narrow") { DirectReads = false, Writes = false, Listings = false });

        async Task<Answer> Ask(string method, string path, params (string, string)[] headers) =>
            await federation.AskAsync(method, federation.DiscoveryUrl + path, cancellationToken, null, headers);

        Answer root = await Ask("GET", "/");
        Answer unknown = await Ask("GET", "/nowhere/x");
        await Assert.That(root.Status).IsEqualTo(302);
        await Assert.That(root.Headers).Contains("Location: /view/");
        await Assert.That((await Ask("PUT", "/")).Status).IsEqualTo(404);
        await Assert.That(unknown.Body).Contains("No sources found for the requested path").And.Contains(": Request ID: ");
        await Assert.That((await Ask("GET", "/narrow/x?directread")).Body).Contains("direct read");
        await Assert.That((await Ask("PUT", "/narrow/x")).Status).IsEqualTo(405);
        await Assert.That((await Ask("PROPFIND", "/narrow/x", ("Depth", "1"))).Body).Contains("ls");
        await Assert.That((await Ask("GET", "/demo/none")).Status).IsEqualTo(307);
        federation.Director.Style = DirectorStyle.Current with { Starting = true };
        await Assert.That((await Ask("GET", "/nowhere/x")).Status).IsEqualTo(429);
    }

    [Test]
    public async Task One_process_has_prefixes_and_its_token_in_Location_alone_1_2(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string token = federation.Issuer.CreateToken("storage.read:/");

        Answer get = await federation.AskAsync("GET", federation.DiscoveryUrl + Path, cancellationToken, null, ("Authorization", "Bearer " + token));
        Answer put = await federation.AskAsync("PUT", federation.DiscoveryUrl + Path, cancellationToken);

        string cache = $"{federation.DiscoveryUrl}/api/v1.0/cache/data/{federation.DiscoveryHost}{Path}";
        await Assert.That(get.Headers).Contains($"Location: {cache}?authz={token}").And.Contains($"Link: <{cache}>;");
        await Assert.That(put.Headers).Contains($"Location: {federation.DiscoveryUrl}/api/v1.0/origin/data{Path}")
            .And.Contains($"collections-url={federation.DiscoveryUrl}/api/v1.0/origin/data");
    }

    [Test]
    public async Task Of_two_origins_the_director_asks_and_finds_no_collection_17(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(oneProcess: false, origins: 2);
        federation.Origins[1].Store("/demo/second", "x");

        async Task<Answer> Ask(string method, string path) => await federation.AskAsync(method, federation.DiscoveryUrl + path, cancellationToken);

        await Assert.That((await Ask("GET", "/demo/d")).Status).IsEqualTo(404);
        await Assert.That((await Ask("PROPFIND", "/demo/d")).Status).IsEqualTo(307);
        await Assert.That((await Ask("GET", "/demo/second?directread")).Headers).Contains($"Link: <{federation.Origins[1].Url}/demo/second>; rel=\"duplicate\"; pri=1;");
        await Assert.That((await Ask("PUT", "/demo/second")).Headers).Contains($"Location: {federation.Origins[0].Url}/demo/second");
        await federation.Origins[0].DownAsync();
        await Assert.That((await Ask("PUT", "/demo/second")).Headers).Contains($"Location: {federation.Origins[0].Url}/demo/second");
        federation.Origins[0].IsWithdrawn = federation.Origins[1].IsWithdrawn = true;
        await Assert.That((await Ask("GET", Path)).Body).Contains("No sources found for the requested path");
    }

    private static async Task<TestFederation> StartAsync(bool oneProcess = true, int origins = 1, TimeProvider? clock = null)
    {
        TestFederation federation = await TestFederation.StartAsync(new()
        {
            Origins = [.. Enumerable.Repeat(Dialect.Pelican, origins)],
            Caches = [Dialect.Pelican],
            OneProcess = oneProcess,
            Clock = clock ?? TimeProvider.System,
        });
        federation.Origin.Store(Path, "hi\n");
        return federation;
    }
}
