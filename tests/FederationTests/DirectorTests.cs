using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>The director's answers; the numbers are sections of federation-protocol.md.</summary>
public sealed class DirectorTests
{
    private const string Path = "/public/f";

    [Test]
    public async Task Writes_and_direct_reads_go_to_origins_2_10(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();

        Answer put = await AskAsync(federation, "PUT", "/public/new", cancellationToken);
        Answer direct = await AskAsync(federation, "GET", Path + "?directread", cancellationToken);
        federation.Namespaces.Set(new FederationNamespace("/public") { Writes = false, DirectReads = false });
        Answer noWrites = await AskAsync(federation, "PUT", "/public/new", cancellationToken);
        Answer noDirect = await AskAsync(federation, "GET", Path + "?directread", cancellationToken);

        await Assert.That(put.Headers).Contains($"Link: <{federation.Origin.Url}/public/new>");
        await Assert.That(direct.Headers).Contains($"Location: {federation.Origin.Url}{Path}?directread");
        await Assert.That((noWrites.Status, noDirect.Status)).IsEqualTo((405, 405));
    }

    [Test]
    public async Task Failures_are_told_in_the_form_of_the_directors_age_9_1(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();

        Answer missing = await AskAsync(federation, "GET", "/public/missing", cancellationToken);
        Answer nowhere = await AskAsync(federation, "GET", "/elsewhere/x", cancellationToken);
        federation.Director.Style = DirectorStyle.V77;
        Answer middle = await AskAsync(federation, "GET", "/elsewhere/x", cancellationToken);
        Answer delete = await AskAsync(federation, "DELETE", Path, cancellationToken);
        federation.Director.Style = DirectorStyle.V70;
        Answer old = await AskAsync(federation, "GET", "/elsewhere/x", cancellationToken);

        await Assert.That((missing.Status, nowhere.Status, middle.Status, old.Status)).IsEqualTo((404, 404, 404, 404));
        await Assert.That(missing.Body).StartsWith("{\"status\":\"error\",\"msg\":\"No sources reported possession");
        await Assert.That(middle.Body).StartsWith("{\"error\":\"No sources found");
        await Assert.That(old.Body).StartsWith("No sources found");
        await Assert.That((delete.Status, delete.Body)).IsEqualTo((404, "404 page not found"));
    }

    [Test]
    public async Task Answers_of_all_ages_can_be_had_9_1(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        federation.Namespaces.Set(new FederationNamespace("/public") { Issuers = ["https://a", "https://b"], BasePath = "/base", MaxScopeDepth = 0 });

        Answer now = await AskAsync(federation, "GET", Path, cancellationToken);
        federation.Director.Style = DirectorStyle.V77;
        Answer empty = await AskAsync(federation, "GET", Path, cancellationToken);
        federation.Director.Style = DirectorStyle.V70 with { Link = false };
        Answer bare = await AskAsync(federation, "GET", Path, cancellationToken);

        await Assert.That(now.Headers).Contains("X-Pelican-Authorization: issuer=https://a, issuer=https://b");
        await Assert.That(now.Headers).Contains("X-Pelican-Token-Generation: issuer=https://a, issuer=https://b, strategy=OAuth2, base-path=/base");
        await Assert.That(now.Headers).Contains("; depth=1");
        await Assert.That(empty.Headers).Contains("collections-url=\n");
        await Assert.That(bare.Headers).DoesNotContain("Link").And.DoesNotContain("collections-url").And.Contains("Location:");
    }

    [Test]
    public async Task Expired_tokens_and_unknown_agents_are_refused_2_2(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await StartAsync();
        string expired = federation.Issuer.CreateToken("storage.read:/", TimeSpan.FromMinutes(-5));

        Answer token = await AskAsync(federation, "GET", Path, cancellationToken, ("Authorization", "Bearer " + expired));
        Answer other = await AskAsync(federation, "GET", Path, cancellationToken, ("User-Agent", "pelican-dotnet/1.0.0"));
        Answer old = await AskAsync(federation, "GET", Path, cancellationToken, ("User-Agent", "pelican-client/6.9.0"));
        Answer good = await AskAsync(federation, "GET", Path, cancellationToken, ("User-Agent", "pelican-client/7.27.0"));

        await Assert.That((token.Status, other.Status, old.Status, good.Status)).IsEqualTo((401, 400, 400, 307));
        await Assert.That(token.Headers).Contains("WWW-Authenticate: Bearer error=\"invalid_token\"");
    }

    [Test]
    public async Task Servers_come_in_order_whatever_the_order_of_the_links_2_4(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Caches = [Dialect.Pelican, Dialect.Pelican] });
        federation.Origin.Store(Path, "x");
        federation.Director.Style = DirectorStyle.Current with { LinkReversed = true };

        Answer answer = await AskAsync(federation, "GET", Path, cancellationToken);

        await Assert.That(answer.Headers).Contains(
            $"Link: <{federation.Caches[1].Url}{Path}>; rel=\"duplicate\"; pri=2; depth=1, <{federation.Caches[0].Url}{Path}>; rel=\"duplicate\"; pri=1; depth=1");
        await Assert.That(answer.Headers).Contains($"Location: {federation.Caches[0].Url}{Path}");
    }

    private static async Task<TestFederation> StartAsync()
    {
        TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store(Path, "x");
        return federation;
    }

    private static Task<Answer> AskAsync(
        TestFederation federation, string method, string path, CancellationToken cancellationToken, params (string, string)[] headers) =>
        federation.AskAsync(method, federation.DiscoveryUrl + path, cancellationToken, null, headers);
}
