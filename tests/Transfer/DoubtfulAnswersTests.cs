using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Answers that are legal and say less than they seem to: each was found by <see cref="OddAnswers.OddAnswersTests"/>.</summary>
public sealed class DoubtfulAnswersTests
{
    [Test]
    [Arguments("PUT")]
    [Arguments("DELETE")]
    public async Task What_303_names_is_neither_written_nor_removed(string method, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/a", [1]);
        federation.Origin.Store("/demo/other", [2]);
        client.Write("f", [3]);
        federation.Origin.Faults.Add(new Fault(request => request.Method == method, FaultAction.Answer(303, "", ("Location", "/demo/other"))));

        PelicanException failure = await Expect.FailureAsync(method == "PUT"
            ? client.PutAsync("f", "/demo/a", cancellationToken, new TransferOptions { Overwrite = true })
            : client.DeleteAsync("/demo/a", cancellationToken));

        await Assert.That(failure.Row).IsNotEqualTo(Errors.Internal);
        await Assert.That(federation.Origin.Load("/demo/other")).IsEquivalentTo(new byte[] { 2 });
    }

    [Test]
    public async Task What_is_listed_twice_is_there_once(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/t/a", [1]);
        federation.Origin.Store("/public/t/sub/b", [2]);
        federation.Origin.Faults.Add(new Fault(request => request.Method == "PROPFIND", FaultAction.Spoil((_, reply) =>
        {
            using StreamReader body = new(reply.Body);
            string listing = body.ReadToEndAsync().GetAwaiter().GetResult();
            int first = listing.IndexOf("<D:response", StringComparison.Ordinal), end = listing.LastIndexOf("</D:multistatus>", StringComparison.Ordinal);
            reply.SetBody(System.Text.Encoding.UTF8.GetBytes(listing.Insert(end, listing[first..end])));
        })));

        IReadOnlyList<ObjectInfo> listed = await client.ListAsync("/public/t", cancellationToken);
        TreeResult tree = await client.GetTreeAsync("/public/t", "t", cancellationToken);

        await Assert.That(listed.Select(info => info.Name)).IsEquivalentTo(["a", "sub"]);
        await Assert.That((tree.Objects, tree.Failed)).IsEqualTo((2, 0));
    }

    [Test]
    [Arguments(303)]
    [Arguments(307)]
    public async Task Who_reads_follows(int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/a", [1, 2]);
        federation.Cache.Faults.Add(new Fault(request => request.Query.Length == 0, FaultAction.Answer(status, "", ("Location", "/public/a?again"))));

        TransferResult got = await client.GetAsync("/public/a", "f", cancellationToken);

        await Assert.That((got.Size, got.Verification)).IsEqualTo((2, Verification.Verified));
    }

    [Test]
    [Arguments("404 Not Found")]
    [Arguments("403 Forbidden")]
    [Arguments(null)]
    public async Task What_may_be_a_collection_is_not_deleted_as_an_object_nor_called_one(string? status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [Dialect.Pelican] });
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/dir/a", [1]);
        string refused = status is null ? "" : $"<D:propstat><D:prop><D:resourcetype/></D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>";
        federation.Origin.Faults.Add("PROPFIND", "/demo/dir", FaultAction.Answer(207, $"""
            <D:multistatus xmlns:D="DAV:"><D:response><D:href>/demo/dir/</D:href>
            <D:propstat><D:prop><D:getlastmodified>Mon, 23 Nov 2026 23:47:39 GMT</D:getlastmodified></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>{refused}
            </D:response></D:multistatus>
            """));

        PelicanException delete = await Expect.FailureAsync(client.DeleteAsync("/demo/dir", cancellationToken));
        PelicanException stat = await Expect.FailureAsync(client.StatAsync("/demo/dir", cancellationToken));
        TreeResult get = await client.GetTreeAsync("/demo/dir", "d", cancellationToken);

        await Assert.That(federation.Origin.Exists("/demo/dir/a")).IsTrue();
        await Assert.That(delete.Message).Contains("an object or a collection");
        await Assert.That(stat.Message).Contains("an object or a collection");
        await Assert.That(get.Failure).IsNotNull();
    }

    [Test]
    public async Task What_XRootD_answers_to_HEAD_is_not_taken_for_an_object(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/dir/a", [1]);
        federation.Origin.Faults.Add("PROPFIND", "/public/dir", FaultAction.Answer(501));

        PelicanException stat = await Expect.FailureAsync(client.StatAsync("/public/dir", cancellationToken));

        await Assert.That(stat.Message).Contains("an object or a collection");
    }

    [Test]
    public async Task An_upload_goes_into_no_collection_of_which_a_conflict_alone_was_told(CancellationToken cancellationToken)
    {
        foreach (string server in (string[])["", Dialect.Xrootd62.ServerHeader])
        {
            await using TestFederation federation = await TestFederation.StartAsync();
            using TestClient client = new(federation);
            client.Write("f", [1]);
            federation.Origin.Faults.Add("PROPFIND", "/demo/new", FaultAction.Answer(409, "", server.Length == 0 ? [] : [("Server", server)]), times: 1);

            await Expect.FailureAsync(client.PutAsync("f", "/demo/new", cancellationToken));

            await Assert.That(federation.Origin.Exists("/demo/new")).IsFalse();
        }
    }

    [Test]
    [Arguments("storage.read:/ storage.create:/ storage.modify:/", true)]
    [Arguments("storage.create:/ storage.modify:/", false)]
    public async Task A_look_that_somebody_without_a_name_refuses_lets_nothing_be_replaced(string scope, bool refused, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [refused ? Dialect.Xrootd62 : Dialect.Pelican] });
        using TestClient client = new(federation, token: federation.Issuer.CreateToken(scope));
        federation.Origin.Store("/protected/a", [1]);
        client.Write("f", [2, 3]);
        federation.Origin.Faults.Add(new Fault(request => request.Method is "PROPFIND" or "HEAD", FaultAction.Answer(401)));

        PelicanException failure = await Expect.FailureAsync(client.PutAsync("f", "/protected/a", cancellationToken));

        await Assert.That(failure.Row).IsEqualTo(refused ? Errors.Authorization : Errors.AlreadyExists);
        await Assert.That(federation.Origin.Load("/protected/a")).IsEquivalentTo(new byte[] { 1 });
    }
}
