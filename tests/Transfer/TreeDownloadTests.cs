using System.Collections.Concurrent;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Collections with everything in them.</summary>
public sealed class TreeDownloadTests
{
    private static readonly byte[] Content = Bytes.Random(1234);

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task A_tree_lands_flat_with_its_empty_collections(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect], Caches = [dialect] });
        using TestClient client = new(federation);
        string[] names = ["a b", "pc%41", "x#y", "sub/ü", "sub/deep/&<>", "sub/.hidden", "中/文", "sub 2/-x", "back\\slash"];
        foreach ((int i, string name) in names.Index())
        {
            federation.Origin.Store("/public/tree/" + name, Bytes.Random(100 + i, i));
        }

        Directory.CreateDirectory(federation.Origin.FileOf("/public/tree/empty/inner"));

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(client.Files()).IsEquivalentTo((string[])["got", "got/sub", "got/sub/deep", "got/中", "got/sub 2", "got/empty", "got/empty/inner", .. names.Select(n => "got/" + n)]);
        foreach ((int i, string name) in names.Index())
        {
            await Assert.That(Bytes.AreIn(client.File("got/" + name), Bytes.Random(100 + i, i))).IsTrue();
        }

        await Assert.That((result.Objects, result.TotalObjects, result.Bytes, result.TotalBytes)).IsEqualTo((9, 9, 936, 936));
        await Assert.That((result.Collections, result.Failed, result.Already, result.LeftOut, result.TotalsAreFinal)).IsEqualTo((7, 0, 0, 0, true));
    }

    [Test]
    public async Task A_tree_asks_the_director_once_for_each_verb_and_nobody_for_properties(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        for (int i = 0; i < 2000; i++)
        {
            federation.Origin.Store($"/public/tree/{i % 10}/{i}", Bytes.Random(40, i));
        }

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(result.Objects).IsEqualTo(2000);
        for (int i = 0; i < 2000; i++)
        {
            await Assert.That(Bytes.AreIn(client.File($"got/{i % 10}/{i}"), Bytes.Random(40, i))).IsTrue();
        }

        await Assert.That(federation.Director.Requests.Where(r => !r.Path.StartsWith("/.well-known", StringComparison.Ordinal)).Select(r => r.Method))
            .IsEquivalentTo(["PROPFIND", "GET"]);
        await Assert.That(federation.Cache.Requests.Count(r => r.Method == "PROPFIND")).IsEqualTo(0);
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "PROPFIND")).IsEqualTo(11);
    }

    [Test]
    public async Task Without_digests_the_listing_confirms_the_size(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.HasDigests = federation.Cache.HasDigests = false;
        federation.Origin.Store("/public/tree/a", Content);

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(federation.Cache.Requests.Count(r => r.Method == "PROPFIND")).IsEqualTo(0);
    }

    [Test]
    [Arguments("xrootd55")] // tells a length
    [Arguments("xrootd62")] // tells none
    public async Task An_object_that_the_listing_has_in_another_size_is_asked_for_anew(string dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [], Origins = [Dialect.All.Single(d => d.Name == dialect)] });
        using TestClient client = new(federation);
        byte[] large = Bytes.Random(3_000_000);
        federation.Origin.HasDigests = false;
        federation.Origin.Store("/public/tree/log", Content, DateTimeOffset.UnixEpoch);
        federation.Origin.Store("/public/tree/large", large[..2_000_000], DateTimeOffset.UnixEpoch);
        TreeListener grows = new() { Begins = (item, _) => federation.Origin.Store("/public/tree/" + item.Path, item.Path == "log" ? Bytes.Random(5000) : large) };

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken, listener: grows);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(Bytes.AreIn(client.File("got/log"), Bytes.Random(5000))).IsTrue();
        await Assert.That(Bytes.AreIn(client.File("got/large"), large)).IsTrue();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task An_object_is_a_single_transfer(bool intoDirectory, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/a", Content);
        if (intoDirectory)
        {
            Directory.CreateDirectory(client.File("got"));
        }

        TreeResult result = await client.GetTreeAsync("/public/a?recursive", "got", cancellationToken);

        await Assert.That(result.Objects).IsEqualTo(1);
        await Assert.That(Bytes.AreIn(client.File(intoDirectory ? "got/a" : "got"), Content)).IsTrue();
    }

    [Test]
    public async Task An_object_that_fails_does_not_stop_the_others(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [] });
        using TestClient client = new(federation);
        for (int i = 0; i < 100; i++)
        {
            federation.Origin.Store($"/public/tree/{i}", Content);
        }

        federation.Origin.Faults.Add(new Fault(r => r.Method == "GET" && r.Path is "/public/tree/7" or "/public/tree/50", FaultAction.Answer(403, "no")));
        ConcurrentBag<TreeOutcome> outcomes = [];

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken, listener: new() { Ended = outcomes.Add });

        await Assert.That(result.Failed).IsEqualTo(2);
        await Assert.That(result.Objects).IsEqualTo(98);
        await Assert.That(result.Failure!.Message).StartsWith("2 of 100 failed, first: ");
        await Assert.That(result.Failure.Retryable).IsFalse();
        await Assert.That(outcomes.Count).IsEqualTo(100);
        await Assert.That(outcomes.Where(o => o.Failure is not null).Select(o => o.Item.Path)).IsEquivalentTo(["7", "50"]);
        await Assert.That(client.Files().Length).IsEqualTo(99);
    }

    [Test]
    [Arguments(404, true)]
    [Arguments(403, true)]
    [Arguments(500, false)]
    public async Task A_collection_that_cannot_be_listed_is_a_failure_and_the_rest_goes_on(int status, bool forGood, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/a", Content);
        federation.Origin.Store("/public/tree/sub/b", Content);
        federation.Origin.Store("/public/tree/sub2/c", Content);
        federation.Origin.Faults.Add("PROPFIND", "/public/tree/sub", FaultAction.Answer(status, "no"));

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failed).IsEqualTo(1);
        await Assert.That(result.Objects).IsEqualTo(2);
        await Assert.That(result.Failure!.Retryable).IsEqualTo(!forGood);
        await Assert.That(client.Files()).IsEquivalentTo(["got", "got/a", "got/sub2", "got/sub2/c"]);
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task Running_it_again_downloads_what_is_missing_or_differs(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect], Caches = [dialect] });
        using TestClient client = new(federation);
        string[] names = ["same", "empty", "size", "bytes", "missing", "link"];
        foreach (string name in names)
        {
            federation.Origin.Store("/public/tree/" + name, name == "empty" ? [] : Content);
        }

        await client.GetTreeAsync("/public/tree", "got", cancellationToken);
        client.Write("got/size", Bytes.Random(7));
        client.Write("got/bytes", Bytes.Random(1234, 8));
        File.Delete(client.File("got/missing"));
        File.Move(client.File("got/link"), client.File("precious"));
        File.CreateSymbolicLink(client.File("got/link"), client.File("precious"));
        int before = federation.Cache.Requests.Count(r => r.Method == "GET");

        TreeResult again = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(again).IsEqualTo(again with { Objects = 6, Already = 2, AlreadyBytes = 1234, Bytes = 5 * 1234, Failed = 0, Failure = null });
        await Assert.That(federation.Cache.Requests.Count(r => r.Method == "GET") - before).IsEqualTo(4);
        foreach (string name in names.Where(n => n != "empty"))
        {
            await Assert.That(Bytes.AreIn(client.File("got/" + name), Content)).IsTrue();
        }

        await Assert.That(new FileInfo(client.File("got/link")).LinkTarget).IsNull();
    }

    [Test]
    public async Task Without_a_digest_nothing_is_called_the_same(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [] });
        using TestClient client = new(federation);
        federation.Origin.HasDigests = false;
        federation.Origin.Store("/public/tree/a", Content);
        client.Write("got/a", Content);

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That((result.Objects, result.Already)).IsEqualTo((1, 0));
        await Assert.That(federation.Origin.Requests.Count(r => r.Method == "GET" && r.Path == "/public/tree/a")).IsEqualTo(1);
    }

    [Test]
    public async Task A_listing_that_does_not_even_show_the_collection_is_no_empty_tree(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/a", Content);
        federation.Origin.Faults.Add("PROPFIND", "/public/tree", FaultAction.Answer(207, "<D:multistatus xmlns:D=\"DAV:\"/>"));

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.Protocol);
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task What_a_server_lists_but_will_not_describe_is_not_passed_over(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Faults.Add("PROPFIND", "/public/tree", FaultAction.Answer(207,
            """
            <D:multistatus xmlns:D="DAV:">
            <D:response><D:href>/public/tree</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            <D:response><D:href>/public/tree/closed</D:href><D:status>HTTP/1.1 403 Forbidden</D:status></D:response>
            </D:multistatus>
            """));

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That((result.TotalObjects, result.Failed)).IsEqualTo((1, 1));
    }

    [Test]
    public async Task A_listing_that_fails_once_is_asked_for_again(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/a", Content);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "PROPFIND", FaultAction.Answer(503), times: 2));

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(result.Objects).IsEqualTo(1);
    }

    [Test]
    public async Task A_listing_that_is_cut_is_never_a_smaller_tree(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        for (int i = 0; i < 50; i++)
        {
            federation.Origin.Store($"/public/tree/sub/{i}", Content);
        }

        federation.Origin.Store("/public/tree/a", Content);
        federation.Origin.Faults.Add("PROPFIND", "/public/tree/sub", FaultAction.Spoil((_, reply) =>
        {
            byte[] whole = new byte[reply.Length];
            reply.Body.ReadExactly(whole);
            reply.SetBody(whole[..(whole.Length / 2)]);
            reply.Headers["Content-Length"] = null;
        }));

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.Protocol);
        await Assert.That(result.Objects).IsEqualTo(1);
        await Assert.That(client.Files()).IsEquivalentTo(["got", "got/a"]);
    }

    [Test]
    public async Task What_is_not_there_makes_no_directory(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);

        TreeResult result = await client.GetTreeAsync("/public/none", "new/got", cancellationToken);

        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.NotFound);
        await Assert.That(result.Failure.Message).DoesNotContain("1 of 1");
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    [Arguments("/etc/x")]
    [Arguments("/public/tree/../x")]
    [Arguments("/public/tree/..")]
    [Arguments("/public/tree/a/b")]
    [Arguments("/public/tree/%2e%2e")]
    [Arguments("/public/tree/a%2Fb")]
    [Arguments("/public/tree//x")]
    public async Task A_name_that_is_no_child_is_refused_with_its_listing(string href, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        Directory.CreateDirectory(federation.Origin.FileOf("/public/tree"));
        List(federation, "/public/tree", href);

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.Protocol);
        await Assert.That(client.Files()).IsEmpty();
    }

    [Test]
    public async Task A_name_listed_twice_for_two_things_is_not_moved(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/a", "1");
        federation.Origin.Store("/public/tree/b", "1");
        List(federation, "/public/tree", "/public/tree/a", "/public/tree/b", "/public/tree/a/");

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failed).IsEqualTo(1);
        await Assert.That(client.Files()).IsEquivalentTo(["got", "got/b"]);
    }

    [Test]
    public async Task A_name_of_a_part_is_not_moved(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/.a.0123456789abcdef.pelican-part", Content);
        federation.Origin.Store("/public/tree/.a.0123456789abcdef.pelican-part.json", Content);

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failed).IsEqualTo(2);
        await Assert.That(client.Files()).IsEquivalentTo(["got"]);
    }

    [Test]
    public async Task A_link_below_the_destination_is_not_followed(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/sub/a", Content);
        federation.Origin.Store("/public/tree/file", Content);
        federation.Origin.Store("/public/tree/dir", Content);
        Directory.CreateDirectory(client.File("outside"));
        Directory.CreateDirectory(client.File("got/dir"));
        client.Write("precious", [1]);
        Directory.CreateSymbolicLink(client.File("got/sub"), client.File("outside"));
        File.CreateSymbolicLink(client.File("got/file"), client.File("precious"));

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failed).IsEqualTo(2); // the link, and the object whose name is a directory's
        await Assert.That(Directory.EnumerateFileSystemEntries(client.File("outside"))).IsEmpty();
        await Assert.That(Bytes.AreIn(client.File("precious"), [1])).IsTrue();
        await Assert.That(Bytes.AreIn(client.File("got/file"), Content)).IsTrue();
        await Assert.That(new FileInfo(client.File("got/file")).LinkTarget).IsNull();
        await Assert.That(Directory.EnumerateFileSystemEntries(client.File("got/dir"))).IsEmpty();
    }

    [Test]
    public async Task A_destination_that_is_a_link_to_a_directory_is_that_directory(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/sub/a", Content);
        Directory.CreateDirectory(client.File("scratch"));
        Directory.CreateSymbolicLink(client.File("got"), client.File("scratch"));

        TreeResult result = await client.GetTreeAsync("/public/tree", "got/", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(Bytes.AreIn(client.File("scratch/sub/a"), Content)).IsTrue();
    }

    [Test]
    public async Task An_endless_tree_ends(CancellationToken cancellationToken)
    {
        string loop = "/" + new string('l', 100);
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/a", Content);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "PROPFIND" && r.Path.EndsWith(loop, StringComparison.Ordinal), (request, _, _) =>
            Task.FromResult(Listing(request.Path, $"{request.Path}{loop}/"))));
        Directory.CreateDirectory(federation.Origin.FileOf("/public/tree" + loop));

        TreeResult result = await client.GetTreeAsync("/public/tree", "/dev/null", cancellationToken);

        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.NotSupported);
        await Assert.That(result.Objects).IsEqualTo(1);
        await Assert.That(result.Collections).IsLessThan(100);
    }

    [Test]
    public async Task Sources_are_laid_over_one_another(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/one/sub/a", "1");
        federation.Origin.Store("/public/two/sub/b", "22");
        federation.Origin.Store("/public/two/sub/deep/c", "333");
        federation.Origin.Store("/public/d", "4444");

        TreeResult result = await client.GetTreesAsync(["/public/one", "/public/two", "/public/d"], "got", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(client.Files()).IsEquivalentTo(["got", "got/d", "got/sub", "got/sub/a", "got/sub/b", "got/sub/deep", "got/sub/deep/c"]);
        await Assert.That(File.ReadAllText(client.File("got/sub/b"))).IsEqualTo("22");
        await Assert.That(File.ReadAllText(client.File("got/d"))).IsEqualTo("4444");
    }

    [Test]
    public async Task What_two_sources_have_under_one_name_is_not_moved(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/one/sub/a", "1");
        federation.Origin.Store("/public/two/sub/a", "22");
        federation.Origin.Store("/public/one/x", "1");
        federation.Origin.Store("/public/two/x/y", "1");
        federation.Origin.Store("/public/two/z", "1");
        federation.Origin.Store("/public/z", "1");

        TreeResult result = await client.GetTreesAsync(["/public/one", "/public/two", "/public/z", "/public/none"], "got", cancellationToken);

        await Assert.That(result.Failed).IsEqualTo(4);
        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.NotFound);
        await Assert.That(client.Files()).IsEquivalentTo(["got", "got/sub"]);
    }

    [Test]
    public async Task What_an_earlier_run_did_is_not_done_again(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/a", Content);
        federation.Origin.Store("/public/tree/sub/b", Content);

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken, listener: new() { IsDone = item => item.Path == "sub/b" && item.Size == 1234 });

        await Assert.That(result).IsEqualTo(result with { Objects = 2, Already = 1, Bytes = 2468, Failed = 0 });
        await Assert.That(client.Files()).IsEquivalentTo(["got", "got/a", "got/sub"]);
    }

    [Test]
    public async Task Cancelling_leaves_no_half_file_and_stops_the_walk(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [] });
        using TestClient client = new(federation);
        for (int i = 0; i < 500; i++)
        {
            federation.Origin.Store($"/public/tree/{i}", Content);
        }

        Gate gate = new();
        federation.Origin.Faults.Add(new Fault(r => r.Method == "GET", FaultAction.Hold(gate)));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<TreeResult> running = client.GetTreeAsync("/public/tree", "got", stop.Token);
        await gate.Blocked.WaitAsync(cancellationToken);

        TreeResult now = client.TreeProgress.Now();
        await stop.CancelAsync();

        await Assert.That(async () => await running).Throws<OperationCanceledException>();
        await Assert.That(now.TotalsAreFinal).IsFalse();
        await Assert.That(now.TotalObjects).IsLessThan(500);
        await Assert.That(client.Files()).IsEquivalentTo(["got"]);
    }

    [Test]
    public async Task An_interrupted_large_object_goes_on_where_it_stopped(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [] });
        using TestClient client = new(federation);
        byte[] large = Bytes.Random(4_000_000);
        federation.Origin.Store("/public/tree/large", large);
        Gate gate = new(3_000_000);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "GET", FaultAction.Hold(gate), times: 1));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<TreeResult> running = client.GetTreeAsync("/public/tree", "got", stop.Token);
        await gate.Blocked.WaitAsync(cancellationToken);
        await Expect.UntilAsync(() => client.HasNoted && client.TreeProgress.Now().Bytes >= 3_000_000, cancellationToken);
        await stop.CancelAsync();
        await Assert.That(async () => await running).Throws<OperationCanceledException>();
        int asked = federation.Origin.Requests.Count(r => r.Method == "PROPFIND" && r.Path.EndsWith("/large", StringComparison.Ordinal));
        List<TreeOutcome> outcomes = [];

        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken, listener: new() { Ended = outcomes.Add });

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(outcomes[0].Result!.ResumedFrom).IsGreaterThan(1_000_000);
        await Assert.That(asked).IsEqualTo(0); // the server's own listing had told what the part must remember
        await Assert.That(Bytes.AreIn(client.File("got/large"), large)).IsTrue();
    }

    [Test]
    public async Task A_dry_run_tells_all_and_writes_nothing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/a", Content);
        federation.Origin.Store("/public/tree/sub/b", Content);
        ConcurrentBag<TreeOutcome> outcomes = [];

        await client.GetTreeAsync("/public/tree", "got", cancellationToken, new() { DryRun = true }, new() { Ended = outcomes.Add });

        await Assert.That(outcomes.Select(o => (o.Result!.Source, o.Result.Destination))).IsEquivalentTo(
        [
            (client.Url("/public/tree/a"), client.File("got/a")),
            (client.Url("/public/tree/sub/b"), client.File("got/sub/b")),
        ]);
        await Assert.That(client.Files()).IsEmpty();
        await Assert.That(federation.Cache.Requests.Count(r => r.Method == "GET")).IsEqualTo(0);
    }

    [Test]
    public async Task Directories_have_the_mode_that_the_caller_s_umask_leaves(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/tree/sub/a", Content);

        await client.GetTreeAsync("/public/tree", "got", cancellationToken, new() { FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });

        await Assert.That(File.GetUnixFileMode(client.File("got/sub"))).IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static void List(TestFederation federation, string path, params string[] hrefs) =>
        federation.Origin.Faults.Add("PROPFIND", path, (_, _, _) => Task.FromResult(Listing(path, hrefs)));

    // As Pelican's own servers write it: escaped.
    private static Reply Listing(string path, params string[] hrefs)
    {
        string entries = string.Concat(hrefs.Select(href => Response(href, href.EndsWith('/') ? "<D:resourcetype><D:collection/></D:resourcetype>" : "<D:getcontentlength>1</D:getcontentlength>")));
        return new Reply(207, $"<D:multistatus xmlns:D=\"DAV:\">{Response(path, "<D:resourcetype><D:collection/></D:resourcetype>")}{entries}</D:multistatus>");

        static string Response(string href, string properties) =>
            $"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>";
    }
}
