using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>What an upload believes, and what it removes.</summary>
public sealed class UploadTrustTests
{
    private const string Path = "/demo/run1/a.bin";
    private const int Announced = 1_000_000;

    private static readonly byte[] Small = Bytes.Random(50_000);
    private static readonly byte[] Large = Bytes.Random(Announced);
    private static readonly byte[] Theirs = Bytes.Random(40_000, 8);

    [Test]
    [Arguments("half")]
    [Arguments("no size")]
    [Arguments("no answer")]
    public async Task What_nobody_confirms_is_no_success(string listing, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.HasDigests = false;
        federation.Origin.Faults.Add("PUT", Path, async (request, _, token) =>
        {
            await request.Body.CopyToAsync(Stream.Null, token);
            federation.Origin.Store(Path, Small[..25_000]);
            return new Reply(201);
        });
        federation.Origin.Faults.Add("HEAD", Path, FaultAction.Spoil((_, reply) => reply.Chunked = true));
        if (listing != "half")
        {
            federation.Origin.Faults.Add(new Fault(r => r.Is("PROPFIND", Path) && federation.Origin.Exists(Path),
                listing == "no size" ? FaultAction.Spoil((_, reply) => reply.SetBody(System.Text.Encoding.UTF8.GetBytes(
                    $"""<D:multistatus xmlns:D="DAV:"><D:response><D:href>{Path}</D:href><D:propstat><D:prop><D:resourcetype/></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>""")))
                : FaultAction.Answer(503)));
        }

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.Transfer);
        await Assert.That(error.Message).Contains(listing == "half" ? "25000" : "it was left as it is");
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsEqualTo(listing == "half");
    }

    [Test]
    public async Task One_wrong_length_takes_nothing_good_away(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.Faults.Add("HEAD", Path, FaultAction.Header("Content-Length", "0"));

        await client.PutAsync("a.bin", Path, cancellationToken);

        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(1);
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
    }

    [Test]
    public async Task A_wrong_length_of_what_may_not_be_looked_at_is_no_success(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.HasDigests = false;
        federation.Origin.Faults.Add("PUT", Path, async (_, next, _) =>
        {
            Reply taken = await next();
            federation.Origin.Store(Path, Small[..25_000]);
            federation.Origin.Faults.Add("PROPFIND", Path, FaultAction.Answer(403, "no"));
            return taken;
        });

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Message).Contains("has 25000 bytes").And.Contains("it was left as it is");
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
    }

    [Test]
    [Arguments(50_000)]
    [Arguments(70_000)]
    [Arguments(Announced)]
    public async Task A_redirect_after_the_body_was_read_does_not_spoil_the_digest(int size, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Large[..size]);
        federation.Origin.Faults.Add("PUT", Path, FaultAction.AnswerAfterBody(307, "", ("Location", federation.Origin.DataUrl + Path)), times: 1);

        TransferResult result = await client.PutAsync("a.bin", Path, cancellationToken, new TransferOptions { Algorithm = ChecksumAlgorithm.Crc32c });

        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
        await Assert.That(federation.Origin.Load(Path).AsSpan().SequenceEqual(Large.AsSpan(0, size))).IsTrue();
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
    }

    [Test]
    [Arguments("xrootd")]
    [Arguments("pelican")]
    public async Task Who_does_not_know_Expect_gets_the_same_without(string kind, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(kind);
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "PUT" && r.Headers["Expect"] is not null, FaultAction.Answer(417)));

        await client.PutAsync("a.bin", Path, cancellationToken);

        await Assert.That(federation.Origin.Load(Path).AsSpan().SequenceEqual(Large)).IsTrue();
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(2);
    }

    [Test]
    public async Task A_file_whose_size_nobody_knows_is_refused(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("/proc/cpuinfo", Path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.NotSupported);
        await Assert.That(federation.Origin.Exists(Path)).IsFalse();
    }

    [Test]
    [Arguments(401, 7)]
    [Arguments(404, 8)]
    [Arguments(409, 8)]
    [Arguments(412, 8)]
    public async Task A_refusal_of_a_large_body_is_read_at_once(int status, int exitStatus, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync("pelican");
        using TestClient client = new(federation);
        client.Write("a.bin", Bytes.Random(20_000_000));
        federation.Origin.Faults.Add("PUT", Path, FaultAction.RefuseLate(status, "no"));

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.ExitStatus).IsEqualTo(exitStatus).Because(error.Message);
        await Assert.That(error.Message).DoesNotContain("incomplete");
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(error.Retryable ? 4 : 1);
    }

    [Test]
    [Arguments(2, true)]
    [Arguments(1000, false)]
    public async Task What_was_taken_and_cannot_be_asked_after_is_left_and_not_sent_again(int times, bool answersAtLast, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.Faults.Add(new Fault(r => r.Method is "HEAD" or "PROPFIND" && federation.Origin.Exists(Path), FaultAction.NoAnswer(), times * 3));

        PelicanException? error = await Expect.FailureOrNullAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error is null).IsEqualTo(answersAtLast);
        await Assert.That(error?.ExitStatus ?? 0).IsEqualTo(answersAtLast ? 0 : Errors.RetryableExitStatus);
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Path), Small)).IsTrue();
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(1);
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
    }

    [Test]
    public async Task A_file_rewritten_while_its_answer_is_lost_is_no_success(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.Faults.Add("PUT", Path, async (_, next, _) =>
        {
            await next();
            client.Write("a.bin", [.. Large[..500_000], .. Bytes.Random(600_000, 9)]);
            return new Reply(0) { Unanswered = true, Ending = Ending.Close };
        });

        PelicanException? error = await Expect.FailureOrNullAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error?.Row).IsEqualTo(Errors.Local);
    }

    [Test]
    public async Task A_stop_between_two_attempts_tells_what_is_there(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        Gate gate = new();
        federation.Origin.Faults.Add("PUT", Path, FaultAction.CutUploadAfter(20_000, Ending.Reset));
        federation.Origin.Faults.Add("DELETE", Path, FaultAction.Answer(423));
        federation.Origin.Faults.Add(new Fault(r => r.Is("PROPFIND", Path) && federation.Origin.Exists(Path), FaultAction.Delay(gate)));

        await StopAsync(client, gate, cancellationToken);

        await Assert.That(client.Progress.Left).Contains($"an incomplete '{Path}' may be left");
    }

    [Test]
    public async Task A_stop_while_the_digest_is_computed_leaves_what_was_sent_whole(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        Gate gate = new();
        federation.Origin.Faults.Add(new Fault(r => r.Headers["Want-Digest"] is not null, FaultAction.Delay(gate)));

        await StopAsync(client, gate, cancellationToken);

        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Path), Small)).IsTrue();
        await Assert.That(client.Progress.Left).Contains("sent whole");
    }

    [Test]
    public async Task A_name_that_is_too_long_for_the_server_is_told_as_that(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync("pelican");
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        string name = new('n', 256);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", $"/demo/{name}", cancellationToken));

        await Assert.That(error.ExitStatus).IsEqualTo(8);
        await Assert.That(error.Message).Contains("256 bytes");
    }

    [Test]
    public async Task What_was_taken_and_is_missing_is_no_misspelt_path(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.Faults.Add("PUT", Path, async (request, _, token) =>
        {
            await request.Body.CopyToAsync(Stream.Null, token);
            return new Reply(201);
        });

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.Transfer);
        await Assert.That(error.Message).Contains("said that it took");
    }

    [Test]
    public async Task What_was_taken_is_done_without_a_digest_once_its_size_is_told(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.HasDigests = false;
        federation.Origin.Faults.Add(new Fault(r => r.Method is "HEAD" or "PROPFIND" && federation.Origin.Exists(Path), FaultAction.NoAnswer(), 6));

        TransferResult result = await client.PutAsync("a.bin", Path, cancellationToken);

        await Assert.That(result.Verification).IsEqualTo(Verification.Unverified);
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(1);
    }

    [Test]
    public async Task What_a_server_failed_at_after_the_body_is_gone_on_with_as_ours(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.Faults.Add("PUT", Path, async (request, _, token) =>
        {
            await request.Body.CopyToAsync(Stream.Null, token);
            federation.Origin.Store(Path, Large[..400_000]);
            return new Reply(500, "cannot commit");
        }, times: 1);

        await client.PutAsync("a.bin", Path, cancellationToken);

        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Path), Large)).IsTrue();
    }

    [Test]
    public async Task What_is_whole_by_now_is_not_removed(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        Gate gate = new();
        federation.Origin.Faults.Add("PUT", Path, (request, next, token) =>
        {
            federation.Origin.Store(Path, Small);
            return FaultAction.Delay(gate)(request, next, token);
        });

        await StopAsync(client, gate, cancellationToken);

        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Path), Small)).IsTrue();
        await Assert.That(client.Progress.Left).Contains("with all its 50000 bytes");
    }

    // Stops the upload once the server waits at the gate.
    private static async Task StopAsync(TestClient client, Gate gate, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = new();
        Task<TransferResult> upload = client.PutAsync("a.bin", Path, stop.Token);
        await gate.Blocked.WaitAsync(cancellationToken);
        await stop.CancelAsync();
        await Assert.That(async () => await upload).Throws<OperationCanceledException>();
    }

    private static Task<TestFederation> StartAsync(string kind, int origins = 1)
    {
        Dialect dialect = kind == "pelican" ? Dialect.Pelican : Dialect.Xrootd62;
        return TestFederation.StartAsync(new() { Origins = [.. Enumerable.Repeat(dialect, origins)], Caches = [dialect] });
    }
}
