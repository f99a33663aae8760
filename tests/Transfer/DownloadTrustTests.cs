using System.Text;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Downloads that would look right: of two versions, cut, coded, a page for an object, an end told wrongly.</summary>
public sealed class DownloadTrustTests
{
    private const string Path = "/public/run1/a.bin";

    private static readonly byte[] Small = Bytes.Random(50_000);
    private static readonly byte[] Old = Bytes.Random(5_000_000);
    private static readonly byte[] New = Bytes.Random(5_000_000, seed: 8);
    private static readonly DateTimeOffset Then = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task Two_versions_are_never_mixed_without_a_digest(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [dialect, dialect], Origins = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.HasDigests = federation.Caches[0].HasDigests = federation.Caches[1].HasDigests = false;
        federation.Origin.Store(Path, Old, Then);
        await client.GetAsync(Path, "first", cancellationToken); // into the first cache
        federation.Origin.Store(Path, New, Then);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.CutAfter(4_000_000, Ending.Reset), times: 1);

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Old) || Bytes.AreIn(client.File("a.bin"), New)).IsTrue();
        await Assert.That(result.Verification).IsEqualTo(Verification.Unverified);
    }

    [Test]
    [Arguments(0)]
    [Arguments(1)]
    public async Task What_a_stale_cache_began_the_origin_does_not_end_without_a_digest(int days, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.HasDigests = federation.Cache.HasDigests = false;
        federation.Origin.Store(Path, Old, Then);
        await client.GetAsync(Path, "first", cancellationToken); // into the cache
        federation.Origin.Store(Path, New, Then.AddDays(days));
        await InterruptAsync(federation, client, federation.Cache, cancellationToken);

        await client.GetAsync(Path, "a.bin", cancellationToken, new TransferOptions { DirectRead = true });

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Old) || Bytes.AreIn(client.File("a.bin"), New)).IsTrue();
    }

    [Test]
    public async Task Two_versions_are_never_mixed_without_a_digest_over_two_runs(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.HasDigests = federation.Cache.HasDigests = false;
        federation.Origin.Store(Path, Old, Then);
        await InterruptAsync(federation, client, federation.Cache, cancellationToken);
        federation.Origin.Store(Path, New, Then);
        federation.Cache.Evict(Path);

        await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), New)).IsTrue();
    }

    [Test]
    public async Task What_was_written_out_of_two_versions_is_no_success(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Xrootd62, Dialect.Xrootd62] });
        using TestClient client = new(federation);
        federation.Origin.HasDigests = federation.Caches[0].HasDigests = federation.Caches[1].HasDigests = false;
        federation.Origin.Store(Path, Old, Then);
        await client.GetAsync(Path, "first", cancellationToken);
        federation.Origin.Store(Path, New, Then);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.CutAfter(4_000_000, Ending.Close));
        using MemoryStream output = new();

        PelicanException error = await Expect.FailureAsync(client.GetToStreamAsync(Path, output, cancellationToken));

        await Assert.That(error.Retryable).IsFalse();
    }

    [Test]
    public async Task One_version_of_a_Pelican_server_is_continued_and_published_without_a_digest(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.HasDigests = false;
        federation.Origin.Store(Path, Old, Then);
        await InterruptAsync(federation, client, federation.Origin, cancellationToken);

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.ResumedFrom).IsEqualTo(3_000_000);
        await Assert.That(result.Verification).IsEqualTo(Verification.Unverified);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Old)).IsTrue();
    }

    [Test]
    [Arguments("gzip")]
    [Arguments("x-gzip")]
    [Arguments("br")]
    public async Task An_object_in_a_coding_is_refused_with_the_reason(string coding, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.HasDigests = false;
        federation.Origin.Store(Path, Small);
        federation.Origin.Faults.Add("GET", Path, FaultAction.Header("Content-Encoding", coding));

        PelicanException error = await Expect.FailureAsync(client.GetAsync(Path, "a.bin", cancellationToken));

        await Assert.That(error.Message).Contains($"'{coding}'");
        await Assert.That(error.Retryable).IsFalse();
        await Assert.That(client.Files()).IsEmpty();
        await Assert.That(federation.Origin.Requests.Select(r => r.Headers["Accept-Encoding"] ?? "").Distinct()).IsEquivalentTo(["identity"]);
    }

    [Test]
    public async Task A_listing_in_a_coding_is_refused_with_the_reason(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Origin.Faults.Add("PROPFIND", "/public/run1", FaultAction.Header("Content-Encoding", "gzip"));

        PelicanException error = await Expect.FailureAsync(client.ListAsync("/public/run1", cancellationToken));

        await Assert.That(error.Message).Contains("'gzip'");
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task A_body_that_ends_with_the_connection_is_not_known_to_be_whole(bool tls, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [], Origins = [Dialect.Pelican], Tls = tls });
        using TestClient client = new(federation);
        federation.Origin.HasDigests = false;
        federation.Origin.Store(Path, Small);
        federation.Origin.Faults.Add(new Fault(r => r.Method is "HEAD" or "PROPFIND", FaultAction.Answer(405)));
        federation.Origin.Faults.Add("GET", Path, FaultAction.Spoil((_, reply) => reply.Raw = async (stream, token) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), token);
            await stream.WriteAsync(Small.AsMemory(0, 25_000), token);
        }));

        PelicanException error = await Expect.FailureAsync(client.GetAsync(Path, "a.bin", cancellationToken));

        await Assert.That(error.Message).Contains("did not confirm");
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task A_chunked_object_whose_size_a_question_tells_is_whole(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.HasDigests = false;
        federation.Origin.Store(Path, Small);
        federation.Origin.Faults.Add("GET", Path, FaultAction.Spoil((_, reply) => reply.Chunked = true));
        federation.Origin.Faults.Add("PROPFIND", Path, FaultAction.Answer(405));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Attempts.Count).IsEqualTo(1);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    [Test]
    public async Task A_length_that_was_met_is_enough_where_nothing_else_tells_one(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.HasDigests = false;
        federation.Origin.Store(Path, Small);
        federation.Origin.Faults.Add(new Fault(r => r.Method is "HEAD" or "PROPFIND", FaultAction.Answer(405)));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Verification).IsEqualTo(Verification.Unverified);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task Nothing_of_a_collection_gets_to_standard_output(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [dialect], Origins = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        using MemoryStream output = new();

        PelicanException error = await Expect.FailureAsync(client.GetToStreamAsync("/public/run1", output, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.IsCollection);
        await Assert.That(error.NextStep).Contains("-r");
        await Assert.That(output.Length).IsEqualTo(0);
    }

    [Test]
    [Arguments(405)]
    [Arguments(409)]
    public async Task A_refusal_of_GET_may_mean_a_collection(int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Pelican], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Cache.Faults.Add("GET", "/public/run1", FaultAction.Answer(status, "no"));

        PelicanException error = await Expect.FailureAsync(client.GetAsync("/public/run1", "a", cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.IsCollection);
        await Assert.That(error.ExitStatus).IsEqualTo(8);
    }

    [Test]
    public async Task A_small_object_is_verified_before_it_gets_to_standard_output(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Cache.Faults.Add("GET", Path, FaultAction.FlipByte(3));
        using MemoryStream output = new();

        await client.GetToStreamAsync(Path, output, cancellationToken);

        await Assert.That(output.ToArray().AsSpan().SequenceEqual(Small)).IsTrue();
    }

    [Test]
    public async Task A_part_that_proves_mixed_comes_whole_from_the_server_that_knew(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Old, Then);
        federation.Namespaces.Set(new FederationNamespace("/public") { Servers = [new Uri(federation.Cache.Url), new Uri(federation.Origin.Url)] });
        federation.Cache.HasDigests = false;
        // The download is not digested by MD5, so that the mixture is found in the file alone.
        federation.Origin.Faults.Add("HEAD", Path, FaultAction.Header("Digest", "md5=" + Convert.ToBase64String(Checksum.OfFile(federation.Origin.FileOf(Path), ChecksumAlgorithm.Md5, cancellationToken))));
        federation.Cache.Faults.Add("GET", Path, FaultAction.FlipByte(5));
        federation.Cache.Faults.Add("GET", Path, FaultAction.CutAfter(4_000_000, Ending.Reset));
        Gate? gate = null;
        federation.Cache.Faults.Add("GET", Path, (request, next, token) => FaultAction.Hold(gate = new Gate(3_000_000))(request, next, token));

        // Each time that it begins, the part is noted before the cache gives up.
        Task<TransferResult> download = client.GetAsync(Path, "a.bin", cancellationToken);
        await Expect.UntilAsync(() =>
        {
            if (client.HasNoted)
            {
                gate?.Open();
            }

            return download.IsCompleted;
        }, cancellationToken);
        TransferResult result = await download;

        await Assert.That(result.Server).IsEqualTo(federation.Origin.Host);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Old)).IsTrue();
    }

    [Test]
    public async Task A_part_of_the_caches_version_does_not_keep_a_second_run_from_success(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Pelican], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Old, Then);
        await client.GetAsync(Path, "first", cancellationToken);
        federation.Origin.Store(Path, [.. New, .. New], Then.AddDays(1));
        await InterruptAsync(federation, client, federation.Cache, cancellationToken);

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Old)).IsTrue();
        await Assert.That(result.ResumedFrom).IsEqualTo(3_000_000);
        await Assert.That(result.DiffersFromOrigin).IsTrue();
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    public async Task A_part_that_no_server_continues_begins_again(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Old, Then);
        await InterruptAsync(federation, client, federation.Cache, cancellationToken);
        federation.Cache.Faults.Add(new Fault(r => r.Method == "GET" && r.Headers["Range"] is not null,
            FaultAction.Header("Content-Range", $"bytes 3000000-{Old.Length - 1}/{Old.Length + 7}")));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Old)).IsTrue();
        await Assert.That(result.Attempts[0].Row).IsEqualTo(Errors.ObjectChanged);
    }

    [Test]
    [Arguments(50_000)]
    [Arguments(5_000_000)]
    public async Task What_is_whole_and_right_is_done_whatever_the_trailer_says(int size, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Pelican], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        byte[] content = Bytes.Random(size);
        federation.Origin.Store(Path, content);
        federation.Cache.Faults.Add("GET", Path, FaultAction.FailInTrailer("500: download cancelled: idle timeout", size));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Attempts.Count).IsEqualTo(1);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), content)).IsTrue();
        await Assert.That(federation.Cache.Requests.Count(r => r.Method == "GET")).IsEqualTo(1);
    }

    [Test]
    public async Task What_a_trailer_says_is_cut_goes_on_by_range(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Pelican], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Old, Then);
        federation.Cache.Faults.Add("GET", Path, FaultAction.FailInTrailer("500: download cancelled: idle timeout", 4_000_000), times: 1);

        await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(federation.Cache.Requests.Where(r => r.Method == "GET").Select(r => r.Headers["Range"] ?? ""))
            .IsEquivalentTo(["", $"bytes=4000000-{Old.Length - 1}"]);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Old)).IsTrue();
    }

    [Test]
    public async Task Rounds_without_net_progress_are_few(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Bytes.Random(12_000_000), Then);
        federation.Cache.Faults.Add("GET", Path, FaultAction.CutAfter(6_000_000, Ending.Close));
        federation.Cache.Faults.Add(new Fault(r => r.Method == "GET" && r.Headers["Range"] is not null, FaultAction.Answer(416)));

        await Expect.FailureAsync(client.GetAsync(Path, "a.bin", cancellationToken));

        await Assert.That(federation.Cache.Requests.Count(r => r.Method == "GET")).IsLessThanOrEqualTo(6);
    }

    [Test]
    public async Task What_a_digest_proves_is_kept_whatever_length_HEAD_tells(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Old, Then);
        federation.Cache.Faults.Add("HEAD", Path, FaultAction.Header("Content-Length", "0"));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(result.Attempts.Count).IsEqualTo(1);
    }

    [Test]
    public async Task A_directors_404_leaves_the_part_of_an_earlier_run(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Old, Then);
        await InterruptAsync(federation, client, federation.Cache, cancellationToken);
        using TestClient again = new(federation);
        foreach (string file in client.Files())
        {
            again.Write(file, await File.ReadAllBytesAsync(client.File(file), cancellationToken));
        }

        federation.Director.Faults.Add("GET", Path, FaultAction.Answer(404, "No sources found"));
        PelicanException error = await Expect.FailureAsync(again.GetAsync(Path, "a.bin", cancellationToken));

        await Assert.That(error.Message).DoesNotContain("Exception");
        await Assert.That(again.Files().Length).IsEqualTo(2);
    }

    [Test]
    public async Task The_age_of_what_a_cache_gave_is_known(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Pelican], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Old, Then);
        await client.GetAsync(Path, "first", cancellationToken);
        // What was cut is asked after to its end.
        federation.Cache.Faults.Add("GET", Path, FaultAction.Spoil((request, reply) =>
        {
            reply.Headers["Age"] = "7200";
            (reply.StopAfter, reply.Ending) = request.Headers["Range"] is null ? (2_500_000, Ending.Close) : (reply.StopAfter, reply.Ending);
        }));
        federation.Origin.Store(Path, New, Then.AddDays(1));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Age).IsEqualTo(TimeSpan.FromHours(2));
        await Assert.That(result.DiffersFromOrigin).IsTrue();
        await Assert.That(result.Attempts[0].CacheAge).IsEqualTo(7200);
    }

    [Test]
    public async Task A_large_object_of_a_Pelican_origin_is_asked_for_one_digest(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [], Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Old);

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Algorithm).IsEqualTo(ChecksumAlgorithm.Crc32c);
        await Assert.That(federation.Origin.Requests.Where(r => r.Method == "HEAD").Select(r => r.Headers["Want-Digest"] ?? "")).IsEquivalentTo(["crc32c"]);
    }

    [Test]
    public async Task Adler32_alone_spares_no_transfer(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        byte[] changed = [.. Small];
        (changed[100], changed[101], changed[102]) = (10, 20, 10);
        byte[] local = [.. changed];
        (local[100], local[101], local[102]) = (11, 18, 11);
        federation.Origin.Store("/public/t/a", changed);
        client.Write("t/a", local);
        string adler = Checksums.Header("adler32", changed);
        federation.Origin.Faults.Add("HEAD", "/public/t/a", FaultAction.Header("Digest", adler));
        federation.Cache.Faults.Add("HEAD", "/public/t/a", FaultAction.Header("Digest", adler));

        await client.GetTreeAsync("/public/t", "t", cancellationToken);

        await Assert.That(Checksums.Header("adler32", local)).IsEqualTo(adler);
        await Assert.That(Bytes.AreIn(client.File("t/a"), changed)).IsTrue();
    }

    // A run that ends after 3 000 000 bytes, and keeps them.
    private static async Task InterruptAsync(TestFederation federation, TestClient client, FederationServer server, CancellationToken cancellationToken)
    {
        Fault held = server.Faults.Add("GET", Path, FaultAction.Hold(new Gate(3_000_000)), times: 1);
        using CancellationTokenSource stop = new();
        Task<TransferResult> interrupted = client.GetAsync(Path, "a.bin", stop.Token);
        await Expect.UntilAsync(() => client.HasNoted && client.Progress.Bytes >= 3_000_000, cancellationToken);
        await stop.CancelAsync();
        await Assert.That(async () => await interrupted).Throws<OperationCanceledException>();
        await Assert.That(held.Hits).IsEqualTo(1);
        await Assert.That(federation.Origin.Failures).IsEmpty();
    }
}
