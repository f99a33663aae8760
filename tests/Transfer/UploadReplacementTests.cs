using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>What an upload replaces, where it may look and where not, at one origin and several.</summary>
public sealed class UploadReplacementTests
{
    private const string Path = "/demo/run1/a.bin";
    private const int Announced = 1_000_000;

    private static readonly byte[] Small = Bytes.Random(50_000);
    private static readonly byte[] Large = Bytes.Random(Announced);
    private static readonly byte[] Theirs = Bytes.Random(40_000, 8);

    [Test]
    [Arguments(50_000)]
    [Arguments(Announced)]
    public async Task Where_nobody_can_look_the_server_keeps_what_is_there(int size, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync("pelican");
        using TestClient client = new(federation, token: federation.Issuer.CreateToken("storage.create:/"));
        client.Write("a.bin", Large[..size]);
        federation.Origin.Store("/protected/a", Theirs);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", "/protected/a", cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf("/protected/a"), Theirs)).IsTrue();
    }

    [Test]
    public async Task Of_several_that_make_one_object_at_once_one_succeeds(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync("pelican");
        TestClient[] clients = [.. Enumerable.Range(0, 4).Select(_ => new TestClient(federation))];
        Gate gate = new();
        federation.Origin.Faults.Add("PUT", Path, FaultAction.Delay(gate));
        Task<PelicanException?>[] ends = [.. clients.Select((client, i) =>
        {
            client.Write("a.bin", Bytes.Random(30_000, i + 20));
            return Expect.FailureOrNullAsync(client.PutAsync("a.bin", Path, cancellationToken));
        })];
        await Expect.UntilAsync(() => federation.Origin.Requests.Count(r => r.Method == "PUT") == clients.Length, cancellationToken);
        gate.Open();
        PelicanException?[] failures = await Task.WhenAll(ends);

        int winner = Array.FindIndex(failures, failure => failure is null);
        await Assert.That(failures.Where(failure => failure is not null).Select(failure => failure!.Row)).IsEquivalentTo(Enumerable.Repeat(Errors.AlreadyExists, 3));
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Path), Bytes.Random(30_000, winner + 20))).IsTrue();
        Array.ForEach(clients, client => client.Dispose());
    }

    [Test]
    [Arguments("pelican", "423")]
    [Arguments("xrootd", "423")]
    [Arguments("pelican", "reset")]
    [Arguments("xrootd", "reset")]
    public async Task What_somebody_made_between_look_and_PUT_is_kept(string kind, string end, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(kind);
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.Faults.Add("PUT", Path, (_, _, _) =>
        {
            federation.Origin.Store(Path, Theirs);
            return Task.FromResult(end == "423" ? new Reply(423, "locked") { Close = true } : new Reply(0) { Unanswered = true, Ending = Ending.Reset });
        }, times: 1);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Path), Theirs)).IsTrue();
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(1);
    }

    [Test]
    public async Task What_may_be_replaced_and_came_meanwhile_is_not_ours_to_remove(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.Faults.Add("PUT", Path, FaultAction.CutUploadAfter(20_000, Ending.Reset));
        federation.Origin.Faults.Add("PUT", Path, (_, _, _) =>
        {
            federation.Origin.Store(Path, Theirs);
            return Task.FromResult(new Reply(423, "locked") { Close = true });
        }, times: 1);

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken, new() { Overwrite = true }));

        await Assert.That(error.Message).Contains("had been there before, and may now be incomplete");
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
    }

    [Test]
    public async Task A_full_disk_is_told_and_what_somebody_made_there_is_kept(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync("pelican");
        using TestClient client = new(federation);
        client.Write("a.bin", Bytes.Random(20_000_000));
        federation.Origin.Faults.Add("PUT", Path, async (request, next, token) =>
        {
            federation.Origin.Store(Path, Theirs);
            return await FaultAction.RefuseLate(507, "full")(request, next, token);
        });

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.ServerFull);
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Path), Theirs)).IsTrue();
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(1);
    }

    [Test]
    [Arguments("xrootd", true)]
    [Arguments("pelican", false)]
    public async Task An_object_that_any_origin_has_is_there(string kind, bool firstFails, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(kind, origins: 2);
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        federation.Origins[1].Store(Path, Theirs);
        if (firstFails)
        {
            federation.Origin.Faults.Add("PUT", Path, FaultAction.Answer(503));
        }

        PelicanException error = await Expect.FailureAsync(client.PutAsync("a.bin", Path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(Bytes.AreIn(federation.Origins[1].FileOf(Path), Theirs)).IsTrue();
        await Assert.That(federation.Origin.Exists(Path)).IsFalse();
    }

    [Test]
    public async Task An_origin_that_died_leaves_the_upload_to_the_next(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync("pelican", origins: 2);
        using TestClient client = new(federation);
        client.Write("a.bin", Small);
        await federation.Origin.DownAsync();

        await client.PutAsync("a.bin", Path, cancellationToken);

        await Assert.That(Bytes.AreIn(federation.Origins[1].FileOf(Path), Small)).IsTrue();
    }

    [Test]
    public async Task Who_may_write_and_not_look_replaces_on_XRootD(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation, token: federation.Issuer.CreateToken("storage.modify:/"));
        client.Write("a.bin", Small);
        federation.Origin.Store("/protected/a", Theirs);

        await client.PutAsync("a.bin", "/protected/a", cancellationToken, new() { Overwrite = true });

        await Assert.That(Bytes.AreIn(federation.Origin.FileOf("/protected/a"), Small)).IsTrue();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task Who_may_write_and_not_read_replaces_and_is_told_what_was_not_checked(bool requires, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync("pelican");
        using TestClient client = new(federation, token: federation.Issuer.CreateToken("storage.create:/"));
        client.Write("a.bin", Small);
        federation.Origin.Store("/protected/a", Theirs);

        Task<TransferResult> put = client.PutAsync("a.bin", "/protected/a", cancellationToken, new() { Overwrite = true, RequireChecksum = requires });
        PelicanException? error = await Expect.FailureOrNullAsync(put);

        await Assert.That(error?.ExitStatus ?? 0).IsEqualTo(requires ? 7 : 0);
        await Assert.That(error?.Message ?? (await put).UnverifiedReason).Contains("storage.read");
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf("/protected/a"), Small)).IsTrue();
    }

    [Test]
    [Arguments("xrootd")]
    [Arguments("pelican")]
    public async Task Who_may_create_and_not_look_uploads_a_tree(string kind, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(kind);
        using TestClient client = new(federation, token: federation.Issuer.CreateToken("storage.create:/"));
        client.Write("tree/a", Small);
        client.Write("tree/b", Large);
        client.Write("tree/there", Small);
        federation.Origin.Store("/protected/tree/there", Theirs);

        TreeResult result = await client.PutTreeAsync("tree", "/protected/tree", cancellationToken);

        await Assert.That(result.Failure?.Row).IsEqualTo(Errors.AlreadyExists).Because(result.Failure?.Message ?? "");
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf("/protected/tree/there"), Theirs)).IsTrue();
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf("/protected/tree/a"), Small)).IsTrue();
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf("/protected/tree/b"), Large)).IsTrue();
    }

    [Test]
    public async Task While_one_origin_may_have_half_of_it_no_other_one_gets_it(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync("xrootd", origins: 2);
        using TestClient client = new(federation);
        client.Write("a.bin", Large);
        federation.Origin.Faults.Add("PUT", Path, FaultAction.CutUploadAfter(20_000, Ending.Reset), times: 1);
        federation.Origin.Faults.Add("DELETE", Path, FaultAction.Answer(403));

        await client.PutAsync("a.bin", Path, cancellationToken);

        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Path), Large)).IsTrue();
        await Assert.That(federation.Origins[1].Exists(Path)).IsFalse();
    }

    [Test]
    [Arguments("xrootd")]
    [Arguments("pelican")]
    public async Task What_somebody_puts_into_a_collection_while_a_tree_goes_there_is_kept(string kind, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync(kind);
        using TestClient client = new(federation, new ClientSettings { WorkerCount = 1 });
        client.Write("tree/a", Small);
        client.Write("tree/z", Small);
        federation.Origin.Store("/demo/tree/there", "x");
        federation.Origin.Faults.Add(new Fault(r => r.Is("PUT", "/demo/tree/a") || r.Is("PUT", "/demo/tree/z"), (_, next, _) =>
        {
            federation.Origin.Store("/demo/tree/a", Theirs);
            federation.Origin.Store("/demo/tree/z", Theirs);
            return kind == "pelican" ? next() : Task.FromResult(new Reply(500, "busy"));
        }, times: 1));

        TreeResult result = await client.PutTreeAsync("tree", "/demo/tree", cancellationToken);

        await Assert.That(result.Failure?.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf("/demo/tree/a"), Theirs)).IsTrue();
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf("/demo/tree/z"), Theirs)).IsTrue();
    }

    private static Task<TestFederation> StartAsync(string kind, int origins = 1)
    {
        Dialect dialect = kind == "pelican" ? Dialect.Pelican : Dialect.Xrootd62;
        return TestFederation.StartAsync(new() { Origins = [.. Enumerable.Repeat(dialect, origins)], Caches = [dialect] });
    }
}
