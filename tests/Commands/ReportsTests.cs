using System.Text.Json;
using Pelican.Commands;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

/// <summary>The JSON that programs read: a change here is a change for them.</summary>
public sealed class ReportsTests
{
    private static readonly TransferResult Result = new()
    {
        Source = "osdf:///a/ü&b",
        Destination = "/tmp/ü&b",
        Size = 100,
        ResumedFrom = 40,
        Server = "b:2",
        Elapsed = TimeSpan.FromSeconds(1.5),
        Verification = Verification.Verified,
        Algorithm = ChecksumAlgorithm.Crc32c,
        Checksum = "0a0b0c0d",
        Attempts =
        [
            new Attempt("a:1", 20, TimeSpan.FromSeconds(0.5), "reset", Errors.ConnectionReset) { CacheAge = 7 },
            new Attempt("b:2", 40, TimeSpan.FromSeconds(1), null, null) { ServerVersion = "XrdHttp" },
        ],
    };

    [Test]
    public async Task A_transfer()
    {
        await Assert.That(JsonSerializer.Serialize(Reports.Of(Result), PelicanJson.Output.TransferReport)).IsEqualTo(
            """{"source":"osdf:///a/ü&b","destination":"/tmp/ü&b","size":100,"bytes_transferred":60,"resumed_from":40,"server":"b:2","seconds":1.5"""
            + ""","verification":{"outcome":"verified","algorithm":"crc32c","value":"0a0b0c0d"}"""
            + ""","attempts":[{"server":"a:1","bytes":20,"seconds":0.5,"error":"reset","code":3005,"cache_age":7},{"server":"b:2","bytes":40,"seconds":1,"server_version":"XrdHttp"}]}""");
    }

    [Test]
    public async Task An_old_copy_of_a_cache_says_so()
    {
        TransferResult result = Result with { Age = TimeSpan.FromSeconds(7200.9), DiffersFromOrigin = true, Attempts = [] };

        await Assert.That(JsonSerializer.Serialize(Reports.Of(result), PelicanJson.Output.TransferReport))
            .Contains("\"cache_age\":7200").And.Contains("\"differs_from_origin\":true");
    }

    [Test]
    public async Task A_transfer_that_nothing_could_verify()
    {
        TransferResult result = Result with { Verification = Verification.Unverified, Algorithm = null, Checksum = null, UnverifiedReason = "none", Attempts = [] };

        await Assert.That(JsonSerializer.Serialize(Reports.Of(result), PelicanJson.Output.TransferReport))
            .Contains(""","verification":{"outcome":"unverified","reason":"none"},"attempts":[]}""");
    }

    [Test]
    public async Task An_error()
    {
        PelicanException error = new(Errors.Overloaded, "busy", "Wait.") { RetryAfter = TimeSpan.FromSeconds(30) };

        await Assert.That(JsonSerializer.Serialize(Reports.Of(error, "osdf:///a"), PelicanJson.Output.ErrorReport)).IsEqualTo(
            """{"error":"busy","name":"Transfer.CacheOverloaded","code":6010,"retryable":true,"next_step":"Wait.","source":"osdf:///a","retry_after_seconds":30,"attempts":[]}""");
    }

    [Test]
    public async Task An_object_has_the_members_of_the_Go_client()
    {
        ObjectInfo info = new("/ns/o", 5, new DateTimeOffset(2026, 9, 1, 8, 0, 0, TimeSpan.Zero), false)
        {
            ETag = "\"x\"",
            Checksums = new Dictionary<string, string> { ["crc32c"] = "9a71bb4c" },
        };

        await Assert.That(JsonSerializer.Serialize(Reports.Of(info), PelicanJson.Output.ObjectEntry)).IsEqualTo(
            """{"Name":"/ns/o","Size":5,"ModTime":"2026-09-01T08:00:00Z","IsCollection":false,"etag":"\"x\"","checksums":{"crc32c":"9a71bb4c"}}""");
        await Assert.That(JsonSerializer.Serialize(Reports.Of(new ObjectInfo("/ns/c", 0, null, true)), PelicanJson.Output.ObjectEntry)).IsEqualTo(
            """{"Name":"/ns/c","Size":0,"IsCollection":true}""");
        await Assert.That(JsonSerializer.Serialize(Reports.Of(new ObjectInfo("/ns/u", null, null, false)), PelicanJson.Output.ObjectEntry)).IsEqualTo(
            """{"Name":"/ns/u","Size":null,"IsCollection":false}""");
    }

    [Test]
    public async Task Statistics_have_the_members_of_the_Go_client()
    {
        DateTimeOffset start = new(2026, 9, 1, 8, 0, 0, TimeSpan.Zero);

        await Assert.That(JsonSerializer.Serialize(Reports.Stats(Guid.Empty, start, "osdf:///a", Result), PelicanJson.Output.TransferStats)).IsEqualTo(
            """{"jobId":"00000000-0000-0000-0000-000000000000","error":null,"transferredBytes":60"""
            + ""","serverChecksums":[{"Algorithm":4,"Value":"CgsMDQ=="}],"clientChecksums":[{"Algorithm":4,"Value":"CgsMDQ=="}]"""
            + ""","transferStartTime":"2026-09-01T08:00:00Z","scheme":"osdf","source":"osdf:///a/ü&b","attempts":["""
            + """{"attemptNumber":0,"transferFileBytes":20,"transferTime":500000000,"cacheAge":7000000000,"endpoint":"a:1","serverVersion":"","error":"reset"},"""
            + """{"attemptNumber":1,"transferFileBytes":40,"transferTime":1000000000,"cacheAge":-1,"endpoint":"b:2","serverVersion":"XrdHttp","error":null}]}""");
    }
}
