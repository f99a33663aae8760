using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>stat, ls and delete.</summary>
public sealed class ObjectVerbTests
{
    private static readonly byte[] Content = Bytes.Random(1234);

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task Objects_and_collections_are_told_apart(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect], Caches = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store("/public/run1/a b%41.bin", Content, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        File.SetUnixFileMode(federation.Origin.FileOf("/public/run1/a b%41.bin"), (UnixFileMode)0b111_111_111);

        ObjectInfo file = await client.StatAsync("/public/run1/a%20b%2541.bin", cancellationToken);
        ObjectInfo collection = await client.StatAsync("/public/run1", cancellationToken);

        await Assert.That(file).IsEqualTo(file with { Path = "/public/run1/a b%41.bin", Size = 1234, IsCollection = false, Modified = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000) });
        await Assert.That(collection.IsCollection).IsTrue();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task A_listing_shows_names_as_they_are(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect], Caches = [dialect] });
        using TestClient client = new(federation);
        string[] names = ["a b", "pc%41", "x#y", "p+q", "s;t", "ü", "&<>", "exec"];
        foreach (string name in names)
        {
            federation.Origin.Store("/public/dir 1/" + name, Content);
        }

        federation.Origin.Store("/public/dir 1/sub/deep", Content);
        File.SetUnixFileMode(federation.Origin.FileOf("/public/dir 1/exec"), (UnixFileMode)0b111_111_111);

        IReadOnlyList<ObjectInfo> listing = await client.ListAsync("/public/dir%201", cancellationToken);

        await Assert.That(listing.Where(i => !i.IsCollection).Select(i => i.Name)).IsEquivalentTo(names);
        await Assert.That(listing.Where(i => i.IsCollection).Select(i => i.Name)).IsEquivalentTo(["sub"]);
        await Assert.That(listing.Where(i => !i.IsCollection).All(i => i.Size == 1234)).IsTrue();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task An_object_lists_as_itself_and_an_empty_collection_as_nothing(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect], Caches = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store("/public/a", Content);
        Directory.CreateDirectory(federation.Origin.FileOf("/public/empty"));

        await Assert.That((await client.ListAsync("/public/a", cancellationToken)).Select(i => i.Path)).IsEquivalentTo(["/public/a"]);
        await Assert.That(await client.ListAsync("/public/empty/", cancellationToken)).IsEmpty();
    }

    [Test]
    public async Task A_cache_that_answers_409_has_a_collection(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/dir/a", Content);
        federation.Cache.OriginIsHttp = true;

        ObjectInfo info = await client.StatAsync("/public/dir", cancellationToken);
        PelicanException get = await Expect.FailureAsync(client.GetAsync("/public/dir", "x", cancellationToken));

        await Assert.That(info.IsCollection).IsTrue();
        await Assert.That(get.Row).IsEqualTo(Errors.IsCollection);
    }

    [Test]
    [Arguments("/etc/passwd")]
    [Arguments("/public/dir/../../x")]
    [Arguments("/public/dir/..")]
    [Arguments("/public/other/x")]
    [Arguments("/public/dir/a/b")]
    public async Task A_listing_that_names_what_is_not_in_it_is_refused(string href, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/dir/a", Content);
        federation.Origin.Faults.Add("PROPFIND", "/public/dir", FaultAction.Answer(207,
            $"""
            <D:multistatus xmlns:D="DAV:">
            <D:response><D:href>/public/dir</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            <D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getcontentlength>1</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            </D:multistatus>
            """, ("Server", "XRootD")));

        PelicanException error = await Expect.FailureAsync(client.ListAsync("/public/dir", cancellationToken));

        await Assert.That((error.Row, error.Retryable)).IsEqualTo((Errors.Protocol, false));
    }

    [Test]
    [Arguments("")]
    [Arguments("/api/v1.0/origin/data")]
    [Arguments("/api/v1.0/cache/data/disc.example:8443")]
    public async Task An_entry_may_be_called_as_it_was_asked_for_as_it_answered_or_as_in_the_federation(string written, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        ScriptedServer origin = federation.AddServer((request, _) => Task.FromResult(new Reply(207, Multistatus(request.Headers["Depth"] == "1"
            ? [Collection($"{written}/ns/dir/"), Item($"{written}/ns/dir/a%20b", 7)]
            : [request.Path.EndsWith("dir", StringComparison.Ordinal) ? Collection($"{written}/ns/dir/") : Item($"{written}/ns/dir/a%20b", 7)]))));
        ScriptedServer cache = federation.AddServer((request, _) =>
        {
            Reply redirect = new(307);
            redirect.Headers["Location"] = origin.Url + "/api/v1.0/origin/data" + request.Target[request.Target.IndexOf("/ns/", StringComparison.Ordinal)..];
            return Task.FromResult(redirect);
        });
        Uri place = new(cache.Url + "/api/v1.0/cache/data/disc.example:8443");
        federation.Namespaces.Set(new FederationNamespace("/ns") { Servers = [place], Writers = [place], Collections = place });

        ObjectInfo collection = await client.StatAsync("/ns/dir", cancellationToken);
        ObjectInfo file = await client.StatAsync("/ns/dir/a%20b", cancellationToken);
        IReadOnlyList<ObjectInfo> listing = await client.ListAsync("/ns/dir", cancellationToken);

        await Assert.That((collection.Path, collection.IsCollection)).IsEqualTo(("/ns/dir", true));
        await Assert.That((file.Path, file.Size)).IsEqualTo(("/ns/dir/a b", 7L));
        await Assert.That(listing.Select(info => (info.Path, info.Size))).IsEquivalentTo([("/ns/dir/a b", (long?)7L)]);
    }

    [Test]
    [Arguments("/public/dir")]
    [Arguments("/public/dir/")]
    [Arguments("/public/dir//")]
    [Arguments("/public/dir/./")]
    [Arguments("/public/./dir/%2E")]
    public async Task A_collection_is_not_in_itself_however_often_it_is_listed(string href, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/dir/a", Content);
        federation.Origin.Faults.Add("PROPFIND", "/public/dir",
            FaultAction.Answer(207, Multistatus(Collection("/public/dir/"), Collection(href), Item("/public/dir/a", 1234), Collection(href))));

        IReadOnlyList<ObjectInfo> listing = await client.ListAsync("/public/dir", cancellationToken);
        TreeResult tree = await client.GetTreeAsync("/public/dir", "got", cancellationToken);

        await Assert.That(listing.Select(info => info.Path)).IsEquivalentTo(["/public/dir/a"]);
        await Assert.That((tree.Objects, tree.Collections, tree.Failure?.Message)).IsEqualTo((1, 1, null));
    }

    [Test]
    [Arguments("<D:resourcetype/><D:getcontentlength>1,000</D:getcontentlength>")]
    [Arguments("<D:resourcetype/>")]
    public async Task A_size_that_is_not_told_is_not_zero(string property, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/dir/a", Content);
        client.Write("dir/a", Content);
        client.Write("b", Bytes.Random(100));
        string xml = Multistatus(Collection("/demo/dir/"), Entry("/demo/dir/a", property));
        federation.Origin.Faults.Add("PROPFIND", "/demo/dir", FaultAction.Answer(207, xml));
        federation.Origin.Faults.Add("PROPFIND", "/demo/dir/a", FaultAction.Answer(207, Multistatus(Entry("/demo/dir/a", property))));
        federation.Cache.Faults.Add("PROPFIND", "/demo/dir/a", FaultAction.Answer(207, Multistatus(Entry("/demo/dir/a", property))));

        IReadOnlyList<ObjectInfo> listing = await client.ListAsync("/demo/dir", cancellationToken);
        ObjectInfo stat = await client.StatAsync("/demo/dir/a", cancellationToken);
        TreeResult put = await client.PutTreeAsync("dir", "/demo/dir", cancellationToken);
        federation.Origin.Faults.Add("HEAD", "/demo/dir/a", FaultAction.Header("Content-Length", null));
        PelicanException exists = await Expect.FailureAsync(client.PutAsync("b", "/demo/dir/a", cancellationToken));

        await Assert.That(listing.Single().Size).IsNull();
        await Assert.That(stat.Size).IsEqualTo(1234);
        await Assert.That((put.Already, put.Failure?.Message)).IsEqualTo((1, null));
        await Assert.That(exists.Row).IsEqualTo(Errors.AlreadyExists);
        await Assert.That(exists.Message).DoesNotContain("(0 bytes");
        await Assert.That(federation.Origin.Requests.Any(request => request.Method == "PUT")).IsFalse();
    }

    [Test]
    public async Task A_listing_that_is_cut_is_an_error_and_not_a_smaller_listing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        for (int i = 0; i < 50; i++)
        {
            federation.Origin.Store($"/public/dir/{i}", Content);
        }

        federation.Origin.Faults.Add("PROPFIND", "/public/dir", FaultAction.Spoil((_, reply) =>
        {
            byte[] whole = new byte[reply.Length];
            reply.Body.ReadExactly(whole);
            reply.SetBody(whole[..(whole.Length / 2)]);
            reply.Headers["Content-Length"] = null;
        }));

        PelicanException error = await Expect.FailureAsync(client.ListAsync("/public/dir", cancellationToken));

        await Assert.That(error.Retryable).IsTrue();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task Only_objects_and_empty_collections_are_deleted(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/dir/a", Content);

        PelicanException notEmpty = await Expect.FailureAsync(client.DeleteAsync("/demo/dir", cancellationToken));
        await client.DeleteAsync("/demo/dir/a", cancellationToken);
        await client.DeleteAsync("/demo/dir", cancellationToken);
        PelicanException missing = await Expect.FailureAsync(client.DeleteAsync("/demo/dir/a", cancellationToken));

        await Assert.That(notEmpty.Row).IsEqualTo(Errors.CollectionNotEmpty);
        await Assert.That(federation.Origin.Exists("/demo/dir")).IsFalse();
        await Assert.That(missing.Row).IsEqualTo(Errors.NotFound);
    }

    [Test]
    public async Task An_empty_collection_that_fills_before_its_removal_stays_with_what_is_in_it(CancellationToken cancellationToken)
    {
        foreach (string method in (string[])["MOVE", "DELETE"])
        {
            await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican] });
            using TestClient client = new(federation);
            Directory.CreateDirectory(federation.Origin.FileOf("/demo/dir"));
            federation.Origin.Faults.Add(new Fault(request => request.Method == method, (_, next, _) =>
            {
                federation.Origin.Store("/demo/dir/a", Content);
                return next();
            }, times: 1));

            PelicanException? failure = await Caught(client.DeleteAsync("/demo/dir", cancellationToken));

            await Assert.That(failure?.Row).IsEqualTo(method == "MOVE" ? Errors.CollectionNotEmpty : null);
            await Assert.That(federation.Origin.Load("/demo/dir/a").Length).IsEqualTo(Content.Length);
            await Assert.That(Directory.GetFileSystemEntries(federation.Origin.FileOf("/demo")).Length).IsEqualTo(1);
        }
    }

    [Test]
    [Arguments(401)]
    [Arguments(403)]
    public async Task An_empty_collection_goes_where_the_token_does_not_cover_the_name_beside_it(int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        Directory.CreateDirectory(federation.Origin.FileOf("/demo/dir"));
        federation.Origin.Faults.Add("MOVE", "/demo/dir", FaultAction.Answer(status));

        await client.DeleteAsync("/demo/dir", cancellationToken);

        await Assert.That(federation.Origin.Exists("/demo/dir")).IsFalse();
    }

    [Test]
    public async Task A_collection_that_was_moved_aside_is_never_lost_from_sight(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        Directory.CreateDirectory(federation.Origin.FileOf("/demo/dir"));
        int moves = 0;
        federation.Origin.Faults.Add(new Fault(request => request.Method == "MOVE", (_, next, _) =>
        {
            federation.Origin.Store("/demo/dir/a", Content);
            return moves++ == 0 ? next() : Task.FromResult(new Reply(503, "busy"));
        }));

        PelicanException? failure = await Caught(client.DeleteAsync("/demo/dir", cancellationToken));

        await Assert.That(failure?.Message).Contains("what was '/demo/dir' is '/demo/.dir.");
    }

    [Test]
    [Arguments(401)]
    [Arguments(403)]
    [Arguments(405)]
    [Arguments(500)]
    [Arguments(503)]
    public async Task A_collection_that_nobody_could_look_at_is_not_deleted(int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/dir/a", Content);
        federation.Origin.Faults.Add(new Fault(request => request.Method == "PROPFIND", FaultAction.Answer(status)));

        PelicanException failure = await Expect.FailureAsync(client.DeleteAsync("/demo/dir", cancellationToken));

        await Assert.That(failure.ExitStatus is 7 or 8 or 11).IsTrue();
        await Assert.That(federation.Origin.Requests.Any(request => request.Method is "DELETE" or "MOVE")).IsFalse();
    }

    [Test]
    [Arguments("storage.modify:/", Pelican.Federation.TokenProfile.Wlcg)]
    [Arguments("storage.modify:/ storage.create:/", Pelican.Federation.TokenProfile.Wlcg)]
    [Arguments("write:/", Pelican.Federation.TokenProfile.SciTokens)]
    public async Task Who_may_not_look_deletes_only_where_the_server_keeps_what_is_full(string scope, Pelican.Federation.TokenProfile profile, CancellationToken cancellationToken)
    {
        foreach (Dialect dialect in (Dialect[])[Dialect.Pelican, Dialect.Xrootd58, Dialect.Xrootd62])
        {
            await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
            using TestClient client = new(federation, token: federation.Issuer.CreateToken(scope, profile: profile));
            federation.Origin.Faults.Add(new Fault(request => request.Method is "PROPFIND" or "HEAD" && dialect.IsXrootd, FaultAction.Answer(403, "", ("Server", dialect.ServerHeader))));
            federation.Origin.Store("/protected/dir/a", Content);
            federation.Origin.Store("/protected/b", Content);

            PelicanException full = await Expect.FailureAsync(client.DeleteAsync("/protected/dir", cancellationToken));
            PelicanException? single = await Caught(client.DeleteAsync("/protected/b", cancellationToken));

            await Assert.That(federation.Origin.Exists("/protected/dir/a")).IsTrue();
            await Assert.That(federation.Origin.Exists("/protected/b")).IsEqualTo(!dialect.IsXrootd);
            if (!dialect.IsXrootd)
            {
                await Assert.That((full.ExitStatus, single!.ExitStatus)).IsEqualTo((7, 7));
                await Assert.That(full.Message).Contains(profile == Pelican.Federation.TokenProfile.Wlcg ? "storage.read" : "read:/");
                await Assert.That(federation.Origin.Requests.Any(request => request.Method is "DELETE" or "MOVE")).IsFalse();
            }
        }
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task What_two_origins_have_is_deleted_at_both_and_what_one_has_there(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect, dialect] });
        using TestClient client = new(federation);
        federation.Origins[0].Store("/demo/both", Content);
        federation.Origins[1].Store("/demo/both", Content);
        federation.Origins[1].Store("/demo/second", Content);
        federation.Origins[1].Store("/demo/dir/a", Content);
        Directory.CreateDirectory(federation.Origins[0].FileOf("/demo/dir"));

        await client.DeleteAsync("/demo/both", cancellationToken);
        await client.DeleteAsync("/demo/second", cancellationToken);
        PelicanException full = await Expect.FailureAsync(client.DeleteAsync("/demo/dir", cancellationToken));

        await Assert.That(federation.Origins.Any(origin => origin.Exists("/demo/both") || origin.Exists("/demo/second"))).IsFalse();
        await Assert.That(full.Row).IsEqualTo(Errors.CollectionNotEmpty);
        await Assert.That(federation.Origins.All(origin => origin.Exists("/demo/dir"))).IsTrue();
    }

    [Test]
    public async Task An_origin_that_cannot_be_asked_is_named_when_the_others_have_removed_theirs(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican, Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origins[1].Store("/demo/a", Content);
        federation.Origins[0].Faults.Add(new Fault(_ => true, FaultAction.Answer(503)));

        PelicanException failure = await Expect.FailureAsync(client.DeleteAsync("/demo/a", cancellationToken));

        await Assert.That(failure.Retryable).IsTrue();
        await Assert.That(failure.Message).Contains(federation.Origins[0].Host).And.Contains($"was removed at {federation.Origins[1].Host}");
        await Assert.That(federation.Origins[1].Exists("/demo/a")).IsFalse();
    }

    private static async Task<PelicanException?> Caught(Task task)
    {
        try
        {
            await task;
            return null;
        }
        catch (PelicanException e)
        {
            return e;
        }
    }

    [Test]
    public async Task Digests_are_asked_for_one_by_one(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/a", "123456789");

        ObjectInfo info = await client.StatAsync("/public/a", cancellationToken, ChecksumAlgorithm.Crc32c, ChecksumAlgorithm.Md5, ChecksumAlgorithm.Adler32);

        await Assert.That(info.Checksums["crc32c"]).IsEqualTo("e3069283");
        await Assert.That(info.Checksums["md5"]).IsEqualTo("25f9e794323b453885f5181f1b624d0b");
        await Assert.That(info.Checksums["adler32"]).IsEqualTo("091e01de");
    }

    [Test]
    public async Task A_name_with_a_question_mark_is_never_taken_for_the_shorter_one(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/q", Content);

        PelicanException stat = await Expect.FailureAsync(client.StatAsync("/demo/q%3Fmark?skipstat", cancellationToken));
        PelicanException delete = await Expect.FailureAsync(client.DeleteAsync("/demo/q%3Fmark?skipstat", cancellationToken));
        PelicanException get = await Expect.FailureAsync(client.GetAsync("/demo/q%3Fmark?skipstat", "x", cancellationToken));

        await Assert.That(new[] { stat.Row, delete.Row, get.Row }).IsEquivalentTo([Errors.NotSupported, Errors.NotSupported, Errors.NotSupported]);
        await Assert.That(federation.Origin.Exists("/demo/q")).IsTrue();
    }

    private static string Multistatus(params string[] entries) => $"<D:multistatus xmlns:D=\"DAV:\">{string.Concat(entries)}</D:multistatus>";

    private static string Collection(string href) => Entry(href, "<D:resourcetype><D:collection/></D:resourcetype>");

    private static string Item(string href, long size) => Entry(href, $"<D:getcontentlength>{size}</D:getcontentlength>");

    private static string Entry(string href, string properties) =>
        $"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>";
}
