using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Looks, listings and removals: what is asked again, where a token goes, and what is in the way.</summary>
public sealed class QuestionTests
{
    [Test]
    [Arguments(408)]
    [Arguments(429)]
    [Arguments(500)]
    [Arguments(502)]
    [Arguments(503)]
    [Arguments(504)]
    [Arguments(0)]
    public async Task A_bad_moment_of_a_server_is_waited_for(int status, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/dir/a", [1]);
        client.Write("b", [1, 2]);

        Once("PROPFIND");
        ObjectInfo info = await client.StatAsync("/demo/dir/a", cancellationToken);
        Once("PROPFIND");
        IReadOnlyList<ObjectInfo> listing = await client.ListAsync("/demo/dir", cancellationToken);
        Once("PROPFIND");
        TransferResult put = await client.PutAsync("b", "/demo/dir/b", cancellationToken);
        Once("PROPFIND");
        Once("DELETE");
        await client.DeleteAsync("/demo/dir/a", cancellationToken);
        Once("PROPFIND");
        TreeResult tree = await client.DeleteTreeAsync("/demo/dir", cancellationToken);

        await Assert.That((info.Size, listing.Count, put.Size, tree.Failure?.Message)).IsEqualTo(((long?)1, 1, 2, null));
        await Assert.That(federation.Origin.Exists("/demo/dir")).IsFalse();

        void Once(string method) => federation.Origin.Faults.Add(new Fault(
            request => request.Method == method, status == 0 ? FaultAction.NoAnswer(Ending.Reset) : FaultAction.Answer(status), times: 1));
    }

    [Test]
    public async Task A_removal_whose_answer_was_lost_is_a_removal(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/a", [1]);
        federation.Origin.Faults.Add(new Fault(request => request.Method == "DELETE", FaultAction.LoseAnswer(Ending.Reset), times: 1));

        await client.DeleteAsync("/demo/a", cancellationToken);

        await Assert.That(federation.Origin.Exists("/demo/a")).IsFalse();
    }

    [Test]
    [MethodDataSource(typeof(DownloadTests), nameof(DownloadTests.Dialects))]
    public async Task Below_an_object_there_is_nothing_and_the_object_is_named(Dialect dialect, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect], Caches = [dialect] });
        using TestClient client = new(federation);
        federation.Origin.Store("/demo/dir/a", [1]);
        client.Write("b", [1, 2]);
        const string Below = "/demo/dir/a/x/y";

        PelicanException[] failures =
        [
            await Expect.FailureAsync(client.StatAsync(Below, cancellationToken)),
            await Expect.FailureAsync(client.ListAsync(Below, cancellationToken)),
            await Expect.FailureAsync(client.PutAsync("b", Below, cancellationToken)),
            await Expect.FailureAsync(client.DeleteAsync(Below, cancellationToken)),
            await Expect.FailureAsync(client.GetAsync(Below + "?directread&skipstat", "got", cancellationToken)),
        ];

        foreach (PelicanException failure in failures)
        {
            await Assert.That(failure.ExitStatus).IsEqualTo(8).Because(failure.Message);
            await Assert.That(failure.Message).Contains("'/demo/dir/a' is an object");
        }
    }

    [Test]
    public async Task A_look_names_the_properties_it_wants(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation);
        federation.Origin.Store("/public/dir/a", [1]);

        await client.ListAsync("/public/dir", cancellationToken);

        Request asked = federation.Origin.Requests.Single(request => request.Method == "PROPFIND");
        await Assert.That((asked.HasBody, asked.Headers["Content-Type"])).IsEqualTo((true, "application/xml; charset=utf-8"));
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task A_token_in_a_redirect_goes_as_a_header_to_servers_that_the_director_named_and_to_nobody_else(bool named, CancellationToken cancellationToken)
    {
        const string Token = "an-opaque-token-of-mine";
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestClient client = new(federation, token: Token);
        ScriptedServer last = federation.AddServer((_, _) => Task.FromResult(new Reply(207,
            "<D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>/ns/a</D:href><D:propstat><D:prop><D:getcontentlength>7</D:getcontentlength></D:prop>"
            + "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>")));
        ScriptedServer first = federation.AddServer((request, _) =>
        {
            Reply redirect = new(307);
            redirect.Headers["Location"] = $"{last.Url}{request.RawPath}?authz=Bearer%20{Token}&x=1";
            return Task.FromResult(redirect);
        });
        Uri place = new(first.Url);
        federation.Namespaces.Set(new FederationNamespace("/ns") { PublicReads = false, Servers = [place], Writers = [place], Collections = new Uri(named ? last.Url : first.Url) });

        ObjectInfo info = await client.StatAsync("/ns/a", cancellationToken);

        Request asked = last.Requests.Single();
        await Assert.That(info.Size).IsEqualTo(7);
        await Assert.That(asked.Target).IsEqualTo("/ns/a?x=1");
        await Assert.That(asked.Headers["Authorization"]).IsEqualTo(named ? $"Bearer {Token}" : null);
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task What_everybody_may_read_may_come_in_clear_and_nothing_else(bool open, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Tls = false });
        using TestClient client = new(federation, token: "an-opaque-token-of-mine");
        federation.Origin.Store("/public/a", [1, 2, 3]);
        ScriptedServer first = federation.AddServer((request, _) =>
        {
            Reply redirect = new(302);
            redirect.Headers["Location"] = federation.Origin.Url + "/public/a";
            return Task.FromResult(redirect);
        });
        federation.Namespaces.Set(new FederationNamespace("/ns") { PublicReads = open, Servers = [new Uri(first.Url)], Writers = [new Uri(first.Url)], Listings = false });

        if (open)
        {
            TransferResult result = await client.GetAsync("/ns/a", "got", cancellationToken);
            await Assert.That((result.Size, result.Verification)).IsEqualTo((3, Verification.Verified));
        }
        else
        {
            PelicanException error = await Expect.FailureAsync(client.GetAsync("/ns/a", "got", cancellationToken));
            await Assert.That((error.Row, error.Retryable)).IsEqualTo((Errors.Protocol, false));
            await Assert.That(first.Requests.Count(request => request.Method == "GET")).IsEqualTo(1);
        }
    }
}
