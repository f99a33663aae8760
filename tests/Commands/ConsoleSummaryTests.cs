using Pelican.Commands;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

public sealed class ConsoleSummaryTests
{
    private static readonly TransferResult Good = new()
    {
        Source = "osdf:///a/run1.dat",
        Destination = "/tmp/run1.dat",
        Size = 1_020_000_000,
        Server = "cache-a.example.org:8443",
        Elapsed = TimeSpan.FromSeconds(1.2),
        Verification = Verification.Verified,
        Algorithm = ChecksumAlgorithm.Crc32c,
        Checksum = "01020304",
    };

    [Test]
    public async Task One_object_is_told_with_rate_server_and_proof()
    {
        await Assert.That(ConsoleSummary.One(false, "run1.dat", Good)).IsEqualTo(
            "Downloaded run1.dat: 1.0 GB in 1.2 s (850.0 MB/s) from cache-a.example.org:8443, crc32c verified");
    }

    [Test]
    public async Task What_was_not_verified_says_so_and_why()
    {
        TransferResult result = Good with { Verification = Verification.Unverified, Algorithm = null, UnverifiedReason = "the server has no digest" };

        await Assert.That(ConsoleSummary.One(true, "run1.dat", result)).IsEqualTo(
            "Uploaded run1.dat: 1.0 GB in 1.2 s (850.0 MB/s) to cache-a.example.org:8443, not verified: the server has no digest");
    }

    [Test]
    public async Task The_rate_is_that_of_the_bytes_moved_in_this_run()
    {
        TransferResult result = Good with { ResumedFrom = 900_000_000 };

        await Assert.That(ConsoleSummary.One(false, "a", result)).IsEqualTo(
            "Downloaded a: 1.0 GB in 1.2 s (100.0 MB/s) from cache-a.example.org:8443, resumed at 900.0 MB, crc32c verified");
    }

    [Test]
    public async Task The_age_of_what_a_cache_gave_is_told()
    {
        await Assert.That(ConsoleSummary.One(false, "a", Good with { Age = TimeSpan.FromHours(3) }))
            .EndsWith(" from cache-a.example.org:8443, cached 3h00m ago, crc32c verified");
        await Assert.That(ConsoleSummary.One(false, "a", Good with { Age = TimeSpan.Zero })).DoesNotContain("cached");
    }

    [Test]
    public async Task An_empty_object_has_no_rate()
    {
        await Assert.That(ConsoleSummary.One(false, "a", Good with { Size = 0 })).StartsWith("Downloaded a: 0 B in 1.2 s from ");
    }

    [Test]
    public async Task Several_objects_are_told_in_figures()
    {
        TransferTally tally = new(2003);
        for (int i = 0; i < 2000; i++)
        {
            tally.Add(Good with { Size = 4096, Verification = i < 3 ? Verification.Unverified : Verification.Verified });
        }

        tally.Add(new PelicanException(Errors.Slow, "slow"));
        await Assert.That(tally.Retryable).IsTrue();
        tally.Add(new PelicanException(Errors.NotFound, "none"));

        await Assert.That(ConsoleSummary.Many(tally, TimeSpan.FromSeconds(1.1)))
            .IsEqualTo("2000 objects, 8.2 MB in 1.1 s, 1997 verified; 2 failed; 3 unverified; 1 not tried");
    }

    [Test]
    public async Task A_tree_tells_what_was_left_out_and_whether_all_of_it_was_seen()
    {
        TransferTally tally = new(0) { Total = 10 };
        tally.Add(Good with { Size = 4096 });
        TreeProgress tree = new();
        tree.LeftOut();

        string stopped = ConsoleSummary.Many(tally, TimeSpan.FromSeconds(1.1), tree.Now());
        tree.Walked();
        string seen = ConsoleSummary.Many(tally, TimeSpan.FromSeconds(1.1), tree.Now());

        await Assert.That(stopped).IsEqualTo("1 object, 4.1 kB in 1.1 s, verified; 1 left out; at least 9 not tried");
        await Assert.That(seen).IsEqualTo("1 object, 4.1 kB in 1.1 s, verified; 1 left out; 9 not tried");
    }
}
