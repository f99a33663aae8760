using System.Text.Json;
using Pelican.Federation;
using Pelican.Tests.Commands;
using Pelican.Tests.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Dialects;

/// <summary>
/// What every operation does, the same before XRootD's servers and before Pelican's own, in processes of their own and in one
/// with the director.
/// </summary>
[Arguments("xrootd58")]
[Arguments("xrootd62")]
[Arguments("pelican")]
[Arguments("pelican in one process")]
public sealed class EveryOperationTests(string kind)
{
    private const string Space = "/protected";

    private static readonly byte[] Content = Bytes.Random(70_000);
    private static readonly byte[] Other = Bytes.Random(50_000, 8);

    private static readonly string[] Names = ["a b.txt", "%41", "é+1", "sub/deep/x", "sub/empty"];

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task An_object_comes_whole_and_verified(bool direct, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);
        federation.Origin.Store(Space + "/a", Content);

        TransferResult result = await client.GetAsync(Space + "/a", "f", cancellationToken, new TransferOptions { DirectRead = direct });

        await Assert.That(Bytes.AreIn(client.File("f"), Content)).IsTrue();
        await Assert.That((result.Verification, result.Size)).IsEqualTo((Verification.Verified, Content.Length));
        await Assert.That(client.Files()).IsEquivalentTo(["f"]);
    }

    [Test]
    public async Task An_object_comes_to_a_stream(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);
        federation.Origin.Store(Space + "/a", Content);
        using MemoryStream target = new();

        await client.GetToStreamAsync(Space + "/a", target, cancellationToken);

        await Assert.That(target.ToArray().AsSpan().SequenceEqual(Content)).IsTrue();
    }

    [Test]
    public async Task What_is_not_there_is_not_found(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);

        foreach (Task task in (Task[])
        [
            client.GetAsync(Space + "/none", "f", cancellationToken), client.StatAsync(Space + "/none", cancellationToken),
            client.ListAsync(Space + "/none", cancellationToken), client.DeleteAsync(Space + "/none", cancellationToken),
        ])
        {
            await Assert.That((await Expect.FailureAsync(task)).Row).IsEqualTo(Errors.NotFound);
        }

        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task A_new_object_is_stored_and_verified(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);
        client.Write("f", Content);
        client.Write("0", []);

        TransferResult result = await client.PutAsync("f", Space + "/new/a b", cancellationToken);
        await client.PutAsync("0", Space + "/new/empty", cancellationToken);

        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Space + "/new/a b"), Content)).IsTrue();
        await Assert.That(new FileInfo(federation.Origin.FileOf(Space + "/new/empty")).Length).IsEqualTo(0);
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    public async Task What_is_there_is_replaced_on_demand_alone(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);
        federation.Origin.Store(Space + "/a", Other);
        client.Write("f", Content);

        PelicanException refused = await Expect.FailureAsync(client.PutAsync("f", Space + "/a", cancellationToken));
        bool kept = Bytes.AreIn(federation.Origin.FileOf(Space + "/a"), Other);
        TransferResult result = await client.PutAsync("f", Space + "/a", cancellationToken, new TransferOptions { Overwrite = true });

        await Assert.That(refused.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(kept).IsTrue();
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Space + "/a"), Content)).IsTrue();
        await Assert.That(result.Verification).IsEqualTo(Verification.Verified);
    }

    [Test]
    public async Task A_collection_is_listed_and_told_from_an_object(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);
        federation.Origin.Store(Space + "/d/a b%41", Content);
        federation.Origin.Store(Space + "/d/sub/x", Other);

        IReadOnlyList<ObjectInfo> entries = await client.ListAsync(Space + "/d", cancellationToken);
        ObjectInfo collection = await client.StatAsync(Space + "/d", cancellationToken);
        ObjectInfo cold = await client.StatAsync(Space + "/d/a%20b%2541", cancellationToken, ChecksumAlgorithm.Crc32c);
        await client.GetAsync(Space + "/d/a%20b%2541", "f", cancellationToken);
        ObjectInfo cached = await client.StatAsync(Space + "/d/a%20b%2541", cancellationToken);

        await Assert.That(entries.Select(entry => (entry.Name, entry.IsCollection))).IsEquivalentTo([("a b%41", false), ("sub", true)]);
        await Assert.That(entries.Single(entry => !entry.IsCollection).Size).IsEqualTo(Content.Length);
        await Assert.That((collection.IsCollection, cold.IsCollection)).IsEqualTo((true, false));
        await Assert.That((cold.Size, cached.Size)).IsEqualTo(((long?)Content.Length, (long?)Content.Length));
        await Assert.That(cold.Checksums["crc32c"]).IsEqualTo(Checksums.Header("crc32c", Content)["crc32c=".Length..]);
    }

    [Test]
    public async Task An_object_and_an_empty_collection_are_deleted_and_a_full_one_is_not(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);
        federation.Origin.Store(Space + "/d/a", Content);
        federation.Origin.Store(Space + "/d/b", Content);
        Directory.CreateDirectory(federation.Origin.FileOf(Space + "/empty"));

        await client.DeleteAsync(Space + "/d/a", cancellationToken);
        await client.DeleteAsync(Space + "/empty", cancellationToken);
        PelicanException full = await Expect.FailureAsync(client.DeleteAsync(Space + "/d", cancellationToken));

        await Assert.That(full.Row).IsEqualTo(Errors.CollectionNotEmpty);
        await Assert.That(federation.Origin.Exists(Space + "/d/a") || federation.Origin.Exists(Space + "/empty")).IsFalse();
        await Assert.That(federation.Origin.Exists(Space + "/d/b")).IsTrue();
    }

    [Test]
    public async Task A_tree_goes_there_and_back_and_away(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);
        foreach (string name in Names)
        {
            client.Write("up/" + name, name.EndsWith("empty", StringComparison.Ordinal) ? [] : Content);
        }

        TreeResult up = await client.PutTreeAsync("up", Space + "/tree", cancellationToken);
        TreeResult again = await client.PutTreeAsync("up", Space + "/tree", cancellationToken, new TransferOptions { KeepEqual = true });
        TreeResult down = await client.GetTreeAsync(Space + "/tree", "down", cancellationToken);
        TreeResult gone = await client.DeleteTreeAsync(Space + "/tree", cancellationToken);

        await Assert.That((up.Failure ?? again.Failure ?? down.Failure ?? gone.Failure)?.Message).IsNull();
        await Assert.That((up.Objects, again.Objects, down.Objects)).IsEqualTo((Names.Length, Names.Length, Names.Length));
        await Assert.That(Names.All(name => Bytes.AreIn(client.File("down/" + name), File.ReadAllBytes(client.File("up/" + name))))).IsTrue();
        await Assert.That(federation.Origin.Exists(Space + "/tree")).IsFalse();
    }

    [Test]
    public async Task A_tree_replaces_nothing_of_somebody_else(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestClient client = Client(federation);
        federation.Origin.Store(Space + "/tree/x", Other);
        client.Write("up/x", Content);
        client.Write("up/y", Content);

        TreeResult result = await client.PutTreeAsync("up", Space + "/tree", cancellationToken);

        await Assert.That(result.Failure?.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(Bytes.AreIn(federation.Origin.FileOf(Space + "/tree/x"), Other)).IsTrue();
    }

    [Test]
    public async Task A_copy_goes_by_which_end_is_a_URL(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        using TestShell shell = new(federation);
        string text = new('x', 10_000);
        shell.Write("f", text);
        string[] token = ["-t", shell.Write("token", Token(federation))];

        ShellResult up = await shell.RunAsync(["object", "copy", .. token, shell.File("f"), federation.UrlOf(Space + "/c/f")]);
        ShellResult down = await shell.RunAsync(["object", "copy", .. token, federation.UrlOf(Space + "/c/f"), shell.File("g")]);
        ShellResult none = await shell.RunAsync(["object", "copy", .. token, federation.UrlOf(Space + "/c/none"), shell.File("h")]);

        await Assert.That((up.Status, down.Status, none.Status)).IsEqualTo((0, 0, 8)).Because(up.Error + down.Error);
        await Assert.That(await File.ReadAllTextAsync(shell.File("g"), cancellationToken)).IsEqualTo(text);
        await Assert.That(File.Exists(shell.File("h"))).IsFalse();
    }

    [Test]
    public async Task A_job_moves_objects_and_trees_both_ways(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync(options: Options());
        server.Federation.Origin.Store("/demo/a", Content);
        server.Federation.Origin.Store("/demo/tree/sub/x", Other);
        Directory.CreateDirectory(server.File("up/deep"));
        server.Write("f", Content);
        server.Write("up/deep/y z", Other);

        string job = await server.CreateAsync(cancellationToken,
            server.Get("/demo/a", "a"),
            server.Put("f", "/demo/new/f"),
            server.Get("/demo/tree", "tree").Replace("\"operation\"", "\"recursive\":true,\"operation\"", StringComparison.Ordinal),
            server.Put("up", "/demo/up").Replace("\"operation\"", "\"recursive\":true,\"operation\"", StringComparison.Ordinal));
        JsonElement end = await server.EndAsync(job, cancellationToken);

        await Assert.That(end.GetProperty("status").GetString()).IsEqualTo("completed").Because(end.ToString());
        await Assert.That(Bytes.AreIn(server.File("a"), Content) && Bytes.AreIn(server.File("tree/sub/x"), Other)).IsTrue();
        await Assert.That(Bytes.AreIn(server.Federation.Origin.FileOf("/demo/new/f"), Content)).IsTrue();
        await Assert.That(Bytes.AreIn(server.Federation.Origin.FileOf("/demo/up/deep/y z"), Other)).IsTrue();
    }

    [Test]
    public async Task A_job_replaces_nothing_and_says_what_is_missing(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync(options: Options());
        server.Federation.Origin.Store("/demo/a", Other);
        server.Write("f", Content);

        JsonElement onto = await server.EndAsync(await server.CreateAsync(cancellationToken, server.Put("f", "/demo/a")), cancellationToken);
        JsonElement none = await server.EndAsync(await server.CreateAsync(cancellationToken, server.Get("/demo/none", "n")), cancellationToken);

        await Assert.That(onto.GetProperty("status").GetString()).IsEqualTo("failed");
        await Assert.That(none.GetProperty("status").GetString()).IsEqualTo("failed");
        await Assert.That(Bytes.AreIn(server.Federation.Origin.FileOf("/demo/a"), Other)).IsTrue();
        await Assert.That(File.Exists(server.File("n"))).IsFalse();
    }

    private static string Token(TestFederation federation) => federation.Issuer.CreateToken("storage.read:/ storage.create:/ storage.modify:/");

    private static TestClient Client(TestFederation federation) => new(federation, token: Token(federation));

    private FederationOptions Options()
    {
        Dialect dialect = Dialect.All.Single(one => one.Name == kind.Split(' ')[0]);
        return new FederationOptions { Origins = [dialect], Caches = [dialect], OneProcess = kind.Contains("one", StringComparison.Ordinal) };
    }

    private Task<TestFederation> StartAsync() => TestFederation.StartAsync(Options());
}
