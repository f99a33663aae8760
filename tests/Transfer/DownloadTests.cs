using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Downloads in a federation whose servers fail in every way that real ones do.</summary>
public sealed class DownloadTests
{
    private const string Path = "/public/run1/a.bin";

    private static readonly byte[] Small = Bytes.Random(50_000);
    private static readonly byte[] Large = Bytes.Random(5_000_000);
    private static readonly byte[] Huge = Bytes.Random(12_000_000);

    private static FederationOptions TwoCaches { get; } = new() { Caches = [Dialect.Xrootd62, Dialect.Xrootd62] };

    [Test]
    [MethodDataSource(nameof(Dialects))]
    public async Task An_object_arrives_whole_and_verified(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [dialect], Origins = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Large)).IsTrue();
        await Assert.That(client.Files()).IsEquivalentTo(["a.bin"]);
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(result.Size).IsEqualTo(Large.Length);
        await Assert.That(federation.Cache.Failures).IsEmpty();
    }

    [Test]
    [MethodDataSource(nameof(Dialects))]
    public async Task An_empty_object_arrives(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [dialect], Origins = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, []);

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(new FileInfo(client.File("a.bin")).Length).IsEqualTo(0);
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    [MethodDataSource(nameof(Dialects))]
    public async Task The_next_cache_continues_from_the_byte_reached(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [dialect, dialect], Origins = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);
        Gate gate = new(3_000_000);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.Hold(gate));

        Task<TransferResult> download = client.GetAsync(Path, "a.bin", cancellationToken);
        await Expect.UntilAsync(() => client.HasNoted && client.Progress.Bytes >= 3_000_000, cancellationToken);
        await federation.Caches[0].DownAsync();
        TransferResult result = await download;

        Request second = federation.Caches[1].Requests.Single(r => r.Method == "GET");
        await Assert.That(second.Headers["Range"]).IsEqualTo($"bytes=3000000-{Large.Length - 1}");
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Large)).IsTrue();
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(result.Attempts.Select(a => a.Error is null)).IsEquivalentTo([false, true]);
        await Assert.That(client.Files()).IsEquivalentTo(["a.bin"]);
    }

    [Test]
    public async Task When_all_caches_are_dead_each_one_is_named_and_nothing_is_left(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(TwoCaches);
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        await federation.Caches[0].DownAsync();
        await federation.Caches[1].DownAsync();

        PelicanException error = await Expect.FailureAsync(client.GetAsync(Path, "new/a.bin", cancellationToken));

        await Assert.That(error.Message).Contains(federation.Caches[0].Host);
        await Assert.That(error.Message).Contains(federation.Caches[1].Host);
        await Assert.That(error.ExitStatus).IsEqualTo(Errors.RetryableExitStatus);
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task A_corrupted_answer_never_gets_the_final_name(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        client.Write("a.bin", [1, 2, 3]);
        federation.Cache.Faults.Add("GET", Path, FaultAction.FlipByte(1000));
        federation.Origin.Faults.Add("GET", Path, FaultAction.FlipByte(1000));

        PelicanException error = await Expect.FailureAsync(client.GetAsync(Path, "a.bin", cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.ChecksumMismatch);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), [1, 2, 3])).IsTrue();
        await Assert.That(client.Files()).IsEquivalentTo(["a.bin"]);
    }

    [Test]
    public async Task After_a_corrupted_answer_another_server_is_asked_and_the_origin_last(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(TwoCaches);
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.FlipByte(1));
        federation.Caches[1].Faults.Add("GET", Path, FaultAction.FlipByte(2));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Server).IsEqualTo(federation.Origin.Host);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    [Test]
    public async Task A_cut_that_ends_as_a_perfect_chunked_answer_is_noticed(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Cache.Faults.Add("GET", Path, FaultAction.FailInTrailer("500: could not read", 20_000), times: 1);

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Attempts[0].Error).Contains("could not read");
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    [Test]
    public async Task A_cut_without_trailer_or_digest_is_noticed_by_the_size(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Cache.HasDigests = false;
        federation.Cache.Faults.Add("GET", Path, FaultAction.CutAfter(20_000, Ending.Orderly), times: 1);
        federation.Cache.Faults.Add("GET", Path, FaultAction.NoTrailer(), times: 1);

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
        await Assert.That(result.Attempts.Count).IsEqualTo(2);
    }

    [Test]
    public async Task An_object_without_a_digest_is_published_and_called_unverified(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Cache.HasDigests = federation.Origin.HasDigests = false;

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Verification).IsEqualTo(Verification.Unverified);
        await Assert.That(result.UnverifiedReason).Contains("digest");
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    [Test]
    public async Task An_object_without_a_digest_is_refused_when_one_is_required(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Cache.HasDigests = federation.Origin.HasDigests = false;

        PelicanException error = await Expect.FailureAsync(client.GetAsync(Path, "a.bin", cancellationToken, new() { RequireChecksum = true }));

        await Assert.That(error.Row).IsEqualTo(Errors.ChecksumMissing);
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task Where_the_cache_has_no_digest_the_origin_vouches(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Cache.HasDigests = false;

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Server).IsEqualTo(federation.Cache.Host);
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    public async Task An_empty_answer_for_an_object_that_is_not_empty_is_a_failure_of_the_server(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(TwoCaches);
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.EmptyObject());

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Server).IsEqualTo(federation.Caches[1].Host);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    [Test]
    public async Task An_error_answer_sent_as_the_object_is_no_object(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Xrootd55, Dialect.Xrootd55] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.ErrorAnswerAsBody());

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    public async Task A_collection_is_not_downloaded_as_an_object(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = Dialect.All });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);

        PelicanException error = await Expect.FailureAsync(client.GetAsync("/public/run1", "a.bin", cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.IsCollection);
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task A_missing_object_is_not_found_and_not_retried(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);

        PelicanException error = await Expect.FailureAsync(client.GetAsync("/public/run1/missing", "a.bin", cancellationToken));

        await Assert.That(error.Row.HttpStatus).IsEqualTo(404);
        await Assert.That(error.Retryable).IsFalse();
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task A_stalled_server_is_left_for_the_next_one(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(TwoCaches);
        using TestClient client = new(federation, new() { StoppedTransferTimeout = TimeSpan.FromMilliseconds(700) });
        federation.Origin.Store(Path, Small);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.Hold(new Gate(10_000)));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Attempts[0].Row).IsEqualTo(Errors.Stopped);
        await Assert.That(result.Server).IsEqualTo(federation.Caches[1].Host);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    [Test]
    public async Task A_large_object_that_comes_with_pauses_arrives(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Huge);
        Gate gate = new();
        federation.Cache.Faults.Add("GET", Path, FaultAction.Hold(gate));

        Task<TransferResult> download = client.GetAsync(Path, "a.bin", cancellationToken);
        for (int end = 2_500_000; end < Huge.Length; end += 2_500_000)
        {
            gate.Allow(2_500_000);
            int reached = end;
            await Expect.UntilAsync(() => client.Progress.Bytes >= reached, cancellationToken);
        }

        gate.Open();
        TransferResult result = await download;

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Huge)).IsTrue();
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    public async Task A_large_object_that_stalls_goes_on_elsewhere_from_the_byte_reached(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(TwoCaches);
        using TestClient client = new(federation, new() { StoppedTransferTimeout = TimeSpan.FromMilliseconds(1000) });
        federation.Origin.Store(Path, Huge);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.Hold(new Gate(9_000_001)));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Attempts[0].Row).IsEqualTo(Errors.Stopped);
        await Assert.That(result.Attempts[0].Bytes).IsEqualTo(9_000_001);
        await Assert.That(result.Server).IsEqualTo(federation.Caches[1].Host);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Huge)).IsTrue();
    }

    [Test]
    public async Task A_server_that_never_answers_is_left_for_the_next_one(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(TwoCaches);
        using TestClient client = new(federation, new() { ResponseHeaderTimeout = TimeSpan.FromMilliseconds(500) });
        federation.Origin.Store(Path, Small);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.Delay(new Gate()));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Attempts[0].Row).IsEqualTo(Errors.HeaderTimeout);
        await Assert.That(result.Server).IsEqualTo(federation.Caches[1].Host);
    }

    [Test]
    public async Task A_connection_that_was_closed_while_idle_costs_nothing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        await client.GetAsync(Path, "a.bin", cancellationToken);
        federation.Cache.CloseUnusedConnections();
        federation.Cache.CloseIdleConnections();

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Attempts.Count).IsEqualTo(1);
    }

    [Test]
    public async Task A_cancelled_download_keeps_its_part_and_the_next_run_goes_on_from_there(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);
        Gate gate = new(3_000_000);
        federation.Cache.Faults.Add("GET", Path, FaultAction.Hold(gate), times: 1);

        using CancellationTokenSource stop = new();
        Task<TransferResult> interrupted = client.GetAsync(Path, "a.bin", stop.Token);
        await Expect.UntilAsync(() => client.HasNoted && client.Progress.Bytes >= 3_000_000, cancellationToken);
        await stop.CancelAsync();
        await Assert.That(async () => await interrupted).Throws<OperationCanceledException>();
        await Assert.That(client.Files().Count(f => f.EndsWith(".pelican-part", StringComparison.Ordinal))).IsEqualTo(1);
        await Assert.That(File.Exists(client.File("a.bin"))).IsFalse();

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.ResumedFrom).IsEqualTo(3_000_000);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Large)).IsTrue();
        await Assert.That(client.Files()).IsEquivalentTo(["a.bin"]);
    }

    [Test]
    public async Task A_download_that_is_given_up_leaves_nothing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);
        Gate gate = new(3_000_000);
        federation.Cache.Faults.Add("GET", Path, FaultAction.Hold(gate), times: 1);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        Task<TransferResult> download = client.GetAsync(Path, "new/a.bin", stop.Token, new TransferOptions { IsGivenUp = () => true });
        await Expect.UntilAsync(() => client.HasNoted && client.Progress.Bytes >= 3_000_000, cancellationToken);
        await stop.CancelAsync();

        await Assert.That(async () => await download).Throws<OperationCanceledException>();
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task What_was_verified_stays_when_it_cannot_get_its_name_and_needs_no_second_download(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);
        Gate gate = new(3_000_000);
        federation.Cache.Faults.Add("GET", Path, FaultAction.Hold(gate), times: 1);

        Task<TransferResult> download = client.GetAsync(Path, "a.bin", cancellationToken);
        await Expect.UntilAsync(() => client.HasNoted, cancellationToken);
        Directory.CreateDirectory(client.File("a.bin"));
        gate.Open();
        PelicanException error = await Expect.FailureAsync(download);
        Directory.Delete(client.File("a.bin"));
        TransferResult again = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(error.Row.Name).StartsWith("Local");
        await Assert.That(error.NextStep).EndsWith("The 5000000 bytes received are kept: the same command goes on from there.");
        await Assert.That(again.ResumedFrom).IsEqualTo(Large.Length);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Large)).IsTrue();
        await Assert.That(client.Files()).IsEquivalentTo(["a.bin"]);
    }

    [Test]
    public async Task The_mode_of_a_file_is_kept_and_a_link_that_was_named_is_followed(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        client.Write("there", [1]);
        File.SetUnixFileMode(client.File("there"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(client.File("a.bin"), "there");

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Destination).IsEqualTo(client.File("a.bin"));
        await Assert.That(new FileInfo(client.File("a.bin")).LinkTarget).IsEqualTo("there");
        await Assert.That(Bytes.AreIn(client.File("there"), Small)).IsTrue();
        await Assert.That(File.GetUnixFileMode(client.File("there"))).IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Test]
    public async Task Another_name_of_the_file_that_is_replaced_keeps_its_bytes(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        client.Write("snapshot", [1]);
        await PublishedExecutable.RunAsync("ln", [client.File("snapshot"), client.File("a.bin")]);

        await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
        await Assert.That(Bytes.AreIn(client.File("snapshot"), [1])).IsTrue();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_read_only_file_is_not_replaced_without_consent(bool tree, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        client.Write("got/a.bin", [1]);
        File.SetUnixFileMode(client.File("got/a.bin"), UnixFileMode.UserRead);

        PelicanException? error = await GetAsync(new TransferOptions());
        bool kept = Bytes.AreIn(client.File("got/a.bin"), [1]);
        int gets = federation.Cache.Requests.Count(r => r.Method == "GET");
        PelicanException? second = await GetAsync(new TransferOptions { Overwrite = true });

        await Assert.That(error!.Row).IsEqualTo(Errors.LocalDenied);
        await Assert.That(error.Message).Contains("read-only");
        await Assert.That(kept).IsTrue();
        await Assert.That(gets).IsEqualTo(0);
        await Assert.That(second).IsNull();
        await Assert.That(Bytes.AreIn(client.File("got/a.bin"), Small)).IsTrue();
        await Assert.That(File.GetUnixFileMode(client.File("got/a.bin"))).IsEqualTo(UnixFileMode.UserRead);

        async Task<PelicanException?> GetAsync(TransferOptions options) => tree
            ? (await client.GetTreeAsync("/public/run1", "got", cancellationToken, options)).Failure
            : await Expect.FailureOrNullAsync(client.GetAsync(Path, "got/", cancellationToken, options));
    }

    [Test]
    public async Task A_collection_is_told_even_where_a_directory_has_its_name(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        Directory.CreateDirectory(client.File("run1"));
        Directory.CreateDirectory(client.File("a.bin"));

        PelicanException collection = await Expect.FailureAsync(client.GetAsync("/public/run1", "", cancellationToken));
        PelicanException directory = await Expect.FailureAsync(client.GetAsync(Path, "", cancellationToken));

        await Assert.That(collection.Row).IsEqualTo(Errors.IsCollection);
        await Assert.That(collection.NextStep).Contains("-r");
        await Assert.That(directory.Row).IsEqualTo(Errors.Local);
    }

    [Test]
    public async Task A_part_of_a_changed_object_is_discarded(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);
        Gate gate = new(3_000_000);
        federation.Origin.Faults.Add("GET", Path, FaultAction.Hold(gate), times: 1);
        using CancellationTokenSource stop = new();
        Task<TransferResult> interrupted = client.GetAsync(Path, "a.bin", stop.Token);
        await Expect.UntilAsync(() => client.HasNoted && client.Progress.Bytes >= 3_000_000, cancellationToken);
        await stop.CancelAsync();
        await Assert.That(async () => await interrupted).Throws<OperationCanceledException>();
        byte[] changed = Bytes.Random(Large.Length, seed: 8);
        federation.Origin.Store(Path, changed, DateTimeOffset.UtcNow.AddHours(1));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.ResumedFrom).IsEqualTo(0);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), changed)).IsTrue();
    }

    [Test]
    [Arguments("ignored")]
    [Arguments("shifted")]
    [Arguments("empty")]
    public async Task A_resumed_answer_that_is_not_what_was_asked_is_never_appended(string how, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(TwoCaches);
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);
        Gate gate = new(3_000_000);
        federation.Caches[0].Faults.Add("GET", Path, FaultAction.Hold(gate));
        federation.Caches[1].Faults.Add("GET", Path, how switch
        {
            "ignored" => FaultAction.IgnoreRange(),
            "shifted" => FaultAction.Header("Content-Range", $"bytes 0-{Large.Length - 1}/{Large.Length}"),
            _ => FaultAction.EmptyObject(),
        }, times: 1);

        Task<TransferResult> download = client.GetAsync(Path, "a.bin", cancellationToken);
        await Expect.UntilAsync(() => client.HasNoted && client.Progress.Bytes >= 3_000_000, cancellationToken);
        await federation.Caches[0].DownAsync();
        TransferResult result = await download;

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Large)).IsTrue();
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    public async Task A_stale_crc32c_is_overruled_by_another_algorithm(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [] });
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Small);
        federation.Origin.Faults.Add(new Fault(
            r => r.Method == "HEAD" && r.Headers["Want-Digest"]?.StartsWith("crc32c", StringComparison.Ordinal) == true,
            FaultAction.Header("Digest", "crc32c=00000001")));

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(result.Algorithm).IsNotEqualTo(ChecksumAlgorithm.Crc32c);
    }

    [Test]
    public async Task Standard_output_gets_the_bytes(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);
        using MemoryStream output = new();

        TransferResult result = await client.GetToStreamAsync(Path, output, cancellationToken);

        await Assert.That(output.ToArray().AsSpan().SequenceEqual(Large)).IsTrue();
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    public async Task What_was_written_to_standard_output_is_never_written_twice(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store(Path, Large);
        federation.Cache.Faults.Add("GET", Path, FaultAction.FlipByte(3));
        using MemoryStream output = new();

        PelicanException error = await Expect.FailureAsync(client.GetToStreamAsync(Path, output, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.ChecksumMismatch);
        await Assert.That(output.Length).IsEqualTo(Large.Length);
    }

    [Test]
    public async Task A_directory_receives_the_object_under_its_own_name(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/a b%41#+;ü.bin", Small);
        Directory.CreateDirectory(client.File("d"));

        await client.GetAsync("/public/a%20b%2541%23+;%C3%BC.bin", "d", cancellationToken);
        await client.GetAsync("/public/a%20b%2541%23+;%C3%BC.bin", "new/", cancellationToken);

        await Assert.That(client.Files()).IsEquivalentTo(["d", "d/a b%41#+;ü.bin", "new", "new/a b%41#+;ü.bin"]);
    }

    [Test]
    public async Task A_token_goes_to_no_other_host_and_never_in_clear(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        string token = federation.Issuer.CreateToken("storage.read:/");
        using TestClient client = new(federation, token: token);
        federation.Origin.Store("/protected/a", Small);
        ScriptedServer elsewhere = federation.AddServer((_, _) => Task.FromResult(new Reply(200, "not the object")));
        federation.Cache.Faults.Add("GET", "/protected/a", FaultAction.Redirect(new Uri(elsewhere.UrlByAddress + "/protected/a")));

        await Expect.FailureAsync(client.GetAsync("/protected/a", "a", cancellationToken));

        await Assert.That(elsewhere.Requests.Any()).IsTrue();
        await Assert.That(elsewhere.Requests.Any(r => r.Headers["Authorization"] is not null)).IsFalse();
        await Assert.That(federation.Cache.Requests.Any(r => r.Headers["Authorization"] == $"Bearer {token}")).IsTrue();
    }

    [Test]
    public async Task The_first_question_to_the_director_has_no_token_and_its_answer_serves_the_namespace(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        for (int i = 0; i < 5; i++)
        {
            federation.Origin.Store($"/public/{i}", Small);
            await client.GetAsync($"/public/{i}", $"{i}", cancellationToken);
        }

        await Assert.That(federation.Director.Requests.Count(r => r.Path.StartsWith("/public", StringComparison.Ordinal))).IsEqualTo(1);
        await Assert.That(federation.Director.Requests.Count(r => r.Path.StartsWith("/.well-known", StringComparison.Ordinal))).IsEqualTo(1);
    }

    [Test]
    public async Task A_standalone_origin_serves_without_a_director(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(
            new() { Namespaces = [.. FederationOptions.UsualNamespaces, new("/.well-known")] });
        federation.Origin.Store("/.well-known/pelican-configuration", $$"""{"discovery_endpoint":"{{federation.Origin.Url}}"}""");
        federation.Origin.Store(Path, Small);
        using TestClient client = new(federation.CaFile, $"pelican://{federation.Origin.Host}");

        TransferResult result = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(result.Server).IsEqualTo(federation.Origin.Host);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    public static IEnumerable<Func<Dialect>> Dialects() => Dialect.All.Select<Dialect, Func<Dialect>>(dialect => () => dialect);
}
