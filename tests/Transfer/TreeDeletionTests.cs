using System.Collections.Concurrent;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Collections that go with everything in them.</summary>
public sealed class TreeDeletionTests
{
    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task A_tree_goes_with_everything_in_it_and_nothing_beside_it(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        for (int i = 0; i < 100; i++)
        {
            federation.Origin.Store($"/demo/tree/{i % 3}/sub ü/{i}", "x");
        }

        Directory.CreateDirectory(federation.Origin.FileOf("/demo/tree/empty/inner"));
        federation.Origin.Store("/demo/tree2", "x");
        ConcurrentBag<string> gone = [];

        TreeResult result = await client.DeleteTreeAsync("/demo/tree/?recursive", cancellationToken, (item, _) => gone.Add(item.Path));

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That((result.Objects, result.TotalObjects, result.Collections)).IsEqualTo((100, 100, 9));
        await Assert.That(gone.Count).IsEqualTo(109);
        await Assert.That(federation.Origin.Exists("/demo/tree")).IsFalse();
        await Assert.That(federation.Origin.Exists("/demo/tree2")).IsTrue();
    }

    [Test]
    public async Task An_object_goes_alone(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/dir/a", "x");

        TreeResult result = await client.DeleteTreeAsync("/demo/dir/a", cancellationToken);
        TreeResult missing = await client.DeleteTreeAsync("/demo/dir/a", cancellationToken);

        await Assert.That((result.Objects, result.Collections, result.Failed)).IsEqualTo((1, 0, 0));
        await Assert.That(missing.Failure!.Row).IsEqualTo(Errors.NotFound);
        await Assert.That(federation.Origin.Exists("/demo/dir")).IsTrue();
    }

    [Test]
    [Arguments("/demo")]
    [Arguments("/demo/")]
    public async Task The_root_of_a_namespace_stays(string path, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/a", "x");

        PelicanException error = await Expect.FailureAsync(client.DeleteTreeAsync(path, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.Parameter);
        await Assert.That(federation.Origin.Exists("/demo/a")).IsTrue();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task What_cannot_be_deleted_stays_and_so_does_what_it_is_in(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/keep/sub/a", "x");
        federation.Origin.Store("/demo/tree/keep/sub/b", "x");
        federation.Origin.Store("/demo/tree/go/c", "x");
        federation.Origin.Faults.Add("DELETE", "/demo/tree/keep/sub/a", FaultAction.Answer(403, "no"));

        TreeResult result = await client.DeleteTreeAsync("/demo/tree", cancellationToken);

        await Assert.That((result.Objects, result.Collections, result.Failed)).IsEqualTo((2, 1, 1));
        await Assert.That(result.Failure!.Message).StartsWith("1 of 3 failed, first: ");
        await Assert.That(federation.Origin.Exists("/demo/tree/keep/sub/a")).IsTrue();
        await Assert.That(federation.Origin.Exists("/demo/tree/keep/sub/b") || federation.Origin.Exists("/demo/tree/go")).IsFalse();
    }

    [Test]
    public async Task A_tree_at_two_origins_goes_at_both(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican, Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origins[0].Store("/demo/tree/both", "x");
        federation.Origins[1].Store("/demo/tree/both", "x");
        federation.Origins[1].Store("/demo/tree/sub/second", "x");
        federation.Origins[1].Store("/demo/other/a", "x");

        TreeResult tree = await client.DeleteTreeAsync("/demo/tree", cancellationToken);
        TreeResult other = await client.DeleteTreeAsync("/demo/other", cancellationToken);

        await Assert.That((tree.Objects, tree.Collections, tree.Failure?.Message)).IsEqualTo((2, 2, null));
        await Assert.That((other.Objects, other.Collections, other.Failure?.Message)).IsEqualTo((1, 1, null));
        await Assert.That(federation.Origins.Any(origin => origin.Exists("/demo/tree") || origin.Exists("/demo/other"))).IsFalse();
    }

    [Test]
    public async Task What_may_not_be_listed_goes_whole_where_the_server_does_that(CancellationToken cancellationToken)
    {
        foreach (Dialect dialect in (Dialect[])[Dialect.Pelican, Dialect.Xrootd58, Dialect.Xrootd62])
        {
            await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect] });
            federation.Origin.Faults.Add(new Fault(request => request.Method == "PROPFIND" && dialect.IsXrootd, FaultAction.Answer(403, "", ("Server", dialect.ServerHeader))));
            using TestClient client = new(federation, token: federation.Issuer.CreateToken("storage.modify:/ storage.create:/"));
            federation.Origin.Store("/protected/tree/a", "x");
            federation.Origin.Store("/protected/b", "x");

            TreeResult tree = await client.DeleteTreeAsync("/protected/tree", cancellationToken);
            TreeResult single = await client.DeleteTreeAsync("/protected/b", cancellationToken);
            TreeResult none = await client.DeleteTreeAsync("/protected/c", cancellationToken);

            await Assert.That(single.Failure?.Message).IsNull();
            await Assert.That(federation.Origin.Exists("/protected/b")).IsFalse();
            await Assert.That(none.Failure!.Row).IsEqualTo(Errors.NotFound);
            await Assert.That(federation.Origin.Exists("/protected/tree/a")).IsEqualTo(dialect.IsXrootd);
            if (dialect.IsXrootd)
            {
                await Assert.That(tree.Failure!.Row).IsEqualTo(Errors.Authorization);
                await Assert.That(tree.Failure.Message).Contains("storage.read");
            }
        }
    }

    [Test]
    public async Task A_collection_that_cannot_be_listed_stays(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/sub/a", "x");
        federation.Origin.Store("/demo/tree/b", "x");
        federation.Origin.Faults.Add(new Fault(r => r.Method == "PROPFIND" && r.Path.TrimEnd('/').EndsWith("/sub", StringComparison.Ordinal), FaultAction.CutAfter(100, Ending.Close)));

        TreeResult result = await client.DeleteTreeAsync("/demo/tree", cancellationToken);

        await Assert.That((result.Objects, result.Failed)).IsEqualTo((1, 1));
        await Assert.That(federation.Origin.Exists("/demo/tree/sub/a")).IsTrue();
    }

    [Test]
    public async Task A_deletion_that_fails_once_is_tried_again_and_may_find_nothing(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/a", "x");
        federation.Origin.Faults.Add(new Fault(r => r.Method == "DELETE", FaultAction.LoseAnswer(), times: 1));

        TreeResult result = await client.DeleteTreeAsync("/demo/tree", cancellationToken);

        await Assert.That(result.Failure?.Message).IsNull();
        await Assert.That(federation.Origin.Exists("/demo/tree")).IsFalse();
    }

    [Test]
    public async Task A_listing_cannot_lead_the_deletion_elsewhere(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/tree/a", "x");
        federation.Origin.Store("/demo/other", "x");
        federation.Origin.Faults.Add("PROPFIND", "/demo/tree", FaultAction.Answer(207,
            """
            <D:multistatus xmlns:D="DAV:">
            <D:response><D:href>/demo/tree</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            <D:response><D:href>/demo/tree/../other</D:href><D:propstat><D:prop><D:getcontentlength>1</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            </D:multistatus>
            """));

        TreeResult result = await client.DeleteTreeAsync("/demo/tree", cancellationToken);

        await Assert.That(result.Failure!.Row).IsEqualTo(Errors.Protocol);
        await Assert.That(federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
    }

    [Test]
    public async Task Cancelling_stops_it(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        for (int i = 0; i < 300; i++)
        {
            federation.Origin.Store($"/demo/tree/{i}", "x");
        }

        Gate gate = new(10);
        federation.Origin.Faults.Add(new Fault(r => r.Method == "DELETE", FaultAction.Delay(gate)));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<TreeResult> running = client.DeleteTreeAsync("/demo/tree", stop.Token);
        await gate.Blocked.WaitAsync(cancellationToken);

        await stop.CancelAsync();

        await Assert.That(async () => await running).Throws<OperationCanceledException>();
        await Assert.That(Directory.GetFiles(federation.Origin.FileOf("/demo/tree")).Length).IsEqualTo(290);
    }
}
