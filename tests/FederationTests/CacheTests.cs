using Microsoft.Extensions.Time.Testing;
using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>Caches as xrootd.md 12 describes them.</summary>
public sealed class CacheTests
{
    private const string Path = "/public/f";

    [Test]
    public async Task What_is_cached_is_never_asked_for_again_and_its_digest_is_the_new_one_12_2(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
        await using TestFederation federation = await TestFederation.StartAsync(new() { Clock = clock });
        string url = federation.Cache.Url + Path;
        federation.Origin.Store(Path, "old");

        Answer miss = await federation.AskAsync("GET", url, cancellationToken);
        clock.Advance(TimeSpan.FromSeconds(7));
        federation.Origin.Store(Path, "newer");
        Answer hit = await federation.AskAsync("GET", url, cancellationToken);
        Answer digest = await federation.AskAsync("HEAD", url, cancellationToken, null, ("Want-Digest", "crc32c"));

        await Assert.That(miss.Headers).DoesNotContain("Age:");
        await Assert.That(hit.Headers).Contains("Age: 7");
        await Assert.That(hit.Body).IsEqualTo("old");
        await Assert.That(digest.Headers).Contains("Digest: " + Checksums.Header("crc32c", "newer"u8));
    }

    [Test]
    [Arguments("crc32c", "md5=4waSgw==")]
    [Arguments("adler32", "adler32=e3069283")]
    public async Task A_5_5_cache_calls_a_crc32c_anything_12_2(string wanted, string digest, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Xrootd55] });
        federation.Origin.Store(Path, "123456789");

        Answer head = await federation.AskAsync("HEAD", federation.Cache.Url + Path, cancellationToken, null, ("Want-Digest", wanted));
        Answer get = await federation.AskAsync("GET", federation.Cache.Url + Path, cancellationToken, null, ("Want-Digest", "crc32c"));

        await Assert.That(head.Headers).Contains("Digest: " + digest);
        await Assert.That(get.Status).IsEqualTo(500);
    }

    [Test]
    [Arguments("xrootd55", 500, 500)]
    [Arguments("xrootd58", 502, 409)]
    [Arguments("xrootd62", 502, 409)]
    public async Task Without_its_origin_a_cache_serves_what_it_has_12_3(string dialect, int get, int list, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.All.Single(d => d.Name == dialect)] });
        federation.Origin.Store(Path, "kept");
        federation.Origin.Store("/public/other", "not kept");
        await federation.AskAsync("GET", federation.Cache.Url + Path, cancellationToken);

        await federation.Origin.DownAsync();
        Answer hit = await federation.AskAsync("GET", federation.Cache.Url + Path, cancellationToken);
        Answer miss = await federation.AskAsync("GET", federation.Cache.Url + "/public/other", cancellationToken);
        Answer listing = await federation.AskAsync("PROPFIND", federation.Cache.Url + "/public", cancellationToken, null, ("Depth", "1"));

        await Assert.That(hit.Body).IsEqualTo("kept");
        await Assert.That((miss.Status, listing.Status)).IsEqualTo((get, list));
    }

    [Test]
    public async Task A_cache_of_an_HTTP_origin_says_409_to_a_collection_and_no_cache_takes_a_PUT_12_1(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Cache.OriginIsHttp = true;

        Answer listing = await federation.AskAsync("PROPFIND", federation.Cache.Url + "/public", cancellationToken, null, ("Depth", "0"));
        Answer put = await federation.AskAsync("PUT", federation.Cache.Url + "/demo/x", cancellationToken, "x");

        await Assert.That(listing.Status).IsEqualTo(409);
        await Assert.That((put.Status, put.Body)).IsEqualTo((403, "Unable to open /demo/x; read-only file system\n"));
    }

    [Test]
    public async Task A_cache_waits_for_a_dead_origin_as_long_as_the_test_likes_12_3(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store(Path, "late");
        Gate patience = new();
        federation.Cache.Faults.Add("GET", Path, FaultAction.Delay(patience));

        Task<Answer> waiting = federation.AskAsync("GET", federation.Cache.Url + Path, cancellationToken);
        await patience.Blocked.WaitAsync(cancellationToken);
        await federation.Origin.DownAsync();
        patience.Open();

        await Assert.That((await waiting).Body).IsEqualTo("Unable to open /public/f; [FATAL] Connection error\n");
    }
}
