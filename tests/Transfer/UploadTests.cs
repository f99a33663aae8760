using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Uploads to origins that fail in every way that real ones do.</summary>
public sealed class UploadTests
{
    private const string Path = "/demo/run1/a.bin";

    private static readonly byte[] Small = Bytes.Random(50_000);
    private static readonly byte[] Large = Bytes.Random(5_000_000);

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task A_file_of_any_size_arrives_and_is_confirmed(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        foreach (byte[] content in (byte[][])[[], [1], Small, Large])
        {
            client.Write("a.bin", content);
            TransferResult result = await client.PutAsync("a.bin", $"/demo/new/{content.Length}", cancellationToken);

            await Assert.That(federation.Origin.Load($"/demo/new/{content.Length}").AsSpan().SequenceEqual(content)).IsTrue();
            await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
        }

        await Assert.That(federation.Origin.Requests.Where(r => r.Method == "PUT").All(r => r.Headers["Content-Length"] is not null)).IsTrue();
        await Assert.That(federation.Origin.Failures).IsEmpty();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task After_a_digest_that_XRootD_5_may_have_computed_nothing_follows_on_its_connection(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        await client.PutAsync("a.bin", "/demo/new/a.bin", cancellationToken);
        await client.GetAsync("/demo/new/a.bin", "b.bin", cancellationToken, new() { DirectRead = true });

        Request[] questions = [.. federation.Origin.Requests.Where(r => r.Headers["Want-Digest"] is not null)];
        await Assert.That(questions.Length).IsEqualTo(2);
        await Assert.That(questions.All(r => r.Method == "HEAD" && r.Headers["Connection"] is null)).IsTrue();
        bool stumbles = dialect == Dialect.Xrootd55 || dialect == Dialect.Xrootd58;
        IEnumerable<Request> beside = federation.Origin.Requests.Where(r => r.Headers["Want-Digest"] is null);
        await Assert.That(questions.Any(q => beside.Any(r => r.Connection == q.Connection))).IsEqualTo(!stumbles);
        await Assert.That(federation.Origin.Failures).IsEmpty();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task An_existing_object_is_not_replaced_unless_asked_for(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.Store(Path, "precious");

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));
        await Assert.That(error.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(federation.Origin.Load(Path).Length).IsEqualTo("precious".Length);
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "PUT")).IsFalse();

        await client.PutAsync("a.bin", Path, cancellationToken, new() { Overwrite = true });
        await Assert.That(federation.Origin.Load(Path).AsSpan().SequenceEqual(Small)).IsTrue();
    }

    [Test]
    public async Task A_collection_receives_the_file_under_its_own_name(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        string name = client.Write("b %41#+;ü.bin", Small);
        federation.Origin.Store(Path, "there");

        await client.PutAsync(System.IO.Path.GetFileName(name), "/demo/run1", cancellationToken);
        await client.PutAsync(System.IO.Path.GetFileName(name), "/demo/new/", cancellationToken);
        await client.PutAsync(System.IO.Path.GetFileName(name), "/demo/newer", cancellationToken, intoCollection: true);

        foreach (string collection in (string[])["run1", "new", "newer"])
        {
            await Assert.That(federation.Origin.Exists($"/demo/{collection}/b %41#+;ü.bin")).IsTrue();
        }
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task A_cut_upload_is_sent_again_from_the_start(bool large, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        byte[] content = large ? Large : Small;
        client.Write("a.bin", content);
        federation.Origin.Faults.Add("PUT", Path, FaultAction.CutUploadAfter(20_000, Ending.Reset), times: 2);

        TransferResult result = await client.PutAsync("a.bin", Path, cancellationToken);

        await Assert.That(federation.Origin.Load(Path).AsSpan().SequenceEqual(content)).IsTrue();
        await Assert.That(result.Attempts.Count).IsEqualTo(3);
    }

    [Test]
    public async Task What_a_failed_upload_left_is_removed(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.Faults.Add("PUT", Path, FaultAction.CutUploadAfter(2_000_000, Ending.Reset));

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(federation.Origin.Exists(Path)).IsFalse();
        await Assert.That(error.Message).Contains("removed");
        await Assert.That(error.Retryable).IsTrue();
    }

    [Test]
    public async Task A_cancelled_upload_leaves_nothing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        Gate gate = new(1_000_000);
        federation.Origin.Faults.Add("PUT", Path, FaultAction.HoldUpload(gate));

        using CancellationTokenSource stop = new();
        Task<TransferResult> upload = client.PutAsync("a.bin", Path, stop.Token);
        await gate.Blocked.WaitAsync(cancellationToken);
        await stop.CancelAsync();

        await Assert.That(async () => await upload).Throws<OperationCanceledException>();
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsTrue();
    }

    [Test]
    public async Task An_upload_whose_answer_was_lost_is_recognised_as_done(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.Faults.Add("PUT", Path, FaultAction.LoseAnswer(), times: 1);

        TransferResult result = await client.PutAsync("a.bin", Path, cancellationToken);

        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(1);
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task An_object_that_somebody_else_writes_is_waited_for_and_never_removed(bool firstAnswerIsLost, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.Faults.Add("PUT", Path, FaultAction.Answer(423, "Unable to open; already opened by 1 writer; open denied."));
        if (firstAnswerIsLost)
        {
            federation.Origin.Faults.Add("PUT", Path, FaultAction.NoAnswer(), times: 1);
        }

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Retryable).IsTrue();
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsGreaterThan(1);
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task A_full_origin_is_told_of_and_nothing_is_left(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.SpaceLeft = 1_000_000;

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Retryable).IsTrue();
        await Assert.That(federation.Origin.Exists(Path)).IsFalse().Because(string.Join("\n", federation.Origin.Requests));
    }

    [Test]
    public async Task What_the_server_has_is_compared_with_what_was_sent(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "HEAD" && r.Headers["Want-Digest"] is not null, FaultAction.Header("Digest", "crc32c=00000001")));

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.ChecksumMismatch);
        await Assert.That(federation.Origin.Exists(Path)).IsFalse();
    }

    [Test]
    public async Task A_name_that_XRootD_would_cut_is_refused_before_the_first_byte(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("q?mark1.txt", Small);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("q?mark1.txt", "/demo/", cancellationToken));

        await Assert.That(error.Message).Contains("'?'");
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "PUT")).IsFalse();
    }

    [Test]
    [Arguments("tab\t")]
    [Arguments("c\u0001")]
    [Arguments("a\rb")]
    public async Task A_name_that_spoils_XRootDs_listings_is_refused(string name, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write(name, Small);

        PelicanException error = await Expect.FailureAsync(client.PutAsync(name, "/demo/", cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.NotSupported);
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "PUT")).IsFalse();
    }

    [Test]
    public async Task A_missing_source_is_noticed_before_anything_is_asked(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("missing", Path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.LocalFileNotFound);
        await Assert.That(federation.Director.Requests).IsEmpty();
    }

    [Test]
    public async Task A_refused_token_is_explained(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation, token: federation.Issuer.CreateToken("storage.read:/"));
        client.Write("a.bin", Large);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", "/protected/a.bin", cancellationToken));

        await Assert.That(error.ExitStatus).IsEqualTo(Errors.Authorization.ExitStatus);
        await Assert.That(error.Message).Contains("storage.create");
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task A_token_that_may_only_create_is_enough(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation, token: federation.Issuer.CreateToken("storage.create:/"));
        client.Write("a.bin", Small);

        TransferResult result = await client.PutAsync("a.bin", "/protected/new/a.bin", cancellationToken);

        await Assert.That(federation.Origin.Load("/protected/new/a.bin").AsSpan().SequenceEqual(Small)).IsTrue();
        await Assert.That(result.Size).IsEqualTo(Small.Length);
    }

    [Test]
    public async Task A_namespace_without_writes_is_refused_by_the_director(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Namespaces = [new("/read") { Writes = false }] });
        using TestClient client = new(federation);
        client.Write("a.bin", Small);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", "/read/a.bin", cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.NotSupported);
    }
}
