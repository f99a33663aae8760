using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

public sealed class TestFederationTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7))];

    [Test]
    public async Task An_object_is_found_by_discovery_director_and_cache(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a.bin", Content);
        using HttpClient client = federation.Certificates.CreateHttpClient();

        string document = await client.GetStringAsync(federation.DiscoveryUrl + "/.well-known/pelican-configuration", cancellationToken);
        string director = (string)JsonNode.Parse(document)!["director_endpoint"]!;
        using HttpResponseMessage answer = await client.GetAsync(new Uri(director + "/public/a.bin"), cancellationToken);
        byte[] received = await client.GetByteArrayAsync(answer.Headers.Location, cancellationToken);

        await Assert.That(answer.StatusCode).IsEqualTo(HttpStatusCode.TemporaryRedirect);
        await Assert.That(answer.Headers.GetValues("Link").Single()).IsEqualTo($"<{federation.Cache.Url}/public/a.bin>; rel=\"duplicate\"; pri=1; depth=1");
        await Assert.That(answer.Headers.GetValues("X-Pelican-Namespace").Single())
            .IsEqualTo($"namespace=/public, require-token=false, collections-url={federation.Origin.Url}");
        await Assert.That(received.AsSpan().SequenceEqual(Content)).IsTrue();
        await Assert.That(federation.Cache.Load("/public/a.bin").AsSpan().SequenceEqual(Content)).IsTrue();
    }

    [Test]
    public async Task A_protected_object_needs_a_token_for_its_path(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/protected/sub/a.bin", Content);
        using HttpClient client = federation.Certificates.CreateHttpClient();
        TokenIssuer issuer = federation.Issuer;

        async Task<int> StatusWith(string? token)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, federation.Origin.Url + "/protected/sub/a.bin");
            request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            using HttpResponseMessage answer = await client.SendAsync(request, cancellationToken);
            return (int)answer.StatusCode;
        }

        await Assert.That(await StatusWith(null)).IsEqualTo(403);
        await Assert.That(await StatusWith(issuer.CreateToken("storage.read:/sub"))).IsEqualTo(200);
        await Assert.That(await StatusWith(issuer.CreateToken("storage.read:/su"))).IsEqualTo(403);
        await Assert.That(await StatusWith(issuer.CreateToken("storage.create:/"))).IsEqualTo(403);
        await Assert.That(await StatusWith(issuer.CreateToken("read:/", profile: TokenProfile.SciTokens))).IsEqualTo(200);
        await Assert.That(await StatusWith(issuer.CreateToken("storage.read:/", expiresIn: TimeSpan.FromHours(-1)))).IsEqualTo(403);
        await Assert.That(await StatusWith(issuer.CreateToken("storage.read:/", notBefore: TimeSpan.FromHours(1)))).IsEqualTo(403);
        await Assert.That(await StatusWith(issuer.CreateToken("storage.read:/", audience: "https://elsewhere"))).IsEqualTo(403);
        await Assert.That(await StatusWith(issuer.CreateToken("storage.read:/", issuer: "https://elsewhere"))).IsEqualTo(403);
        await Assert.That(await StatusWith(issuer.CreateToken("storage.read:/", badSignature: true))).IsEqualTo(403);
        await Assert.That(federation.Origin.Failures).IsEmpty();
    }

    [Test]
    public async Task An_upload_reaches_the_disk_of_the_origin(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = Dialect.All, Tls = false });
        using HttpClient client = federation.Certificates.CreateHttpClient();

        foreach (Origin origin in federation.Origins)
        {
            using HttpResponseMessage answer = await client.PutAsync(
                new Uri(origin.Url + "/demo/new/a%20b.bin"), new ByteArrayContent(Content), cancellationToken);

            await Assert.That((int)answer.StatusCode).IsEqualTo(origin.Dialect == Dialect.Xrootd55 ? 200 : 201);
            await Assert.That(origin.Load("/demo/new/a b.bin").AsSpan().SequenceEqual(Content)).IsTrue();
            await Assert.That(origin.Failures).IsEmpty();
        }
    }

    [Test]
    public async Task A_server_that_is_down_comes_back_on_its_port(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a.bin", Content);
        using HttpClient client = federation.Certificates.CreateHttpClient();
        Uri url = new(federation.Cache.Url + "/public/a.bin");

        await client.GetByteArrayAsync(url, cancellationToken);
        await federation.Cache.DownAsync();
        await Assert.That(async () => await client.GetByteArrayAsync(url, cancellationToken)).Throws<HttpRequestException>();
        federation.Cache.Up();

        await Assert.That((await client.GetByteArrayAsync(url, cancellationToken)).AsSpan().SequenceEqual(Content)).IsTrue();
    }

    [Test]
    public async Task A_director_stands_in_front_of_foreign_servers(CancellationToken cancellationToken)
    {
        FederationNamespace foreign = new("/far")
        {
            PublicReads = false,
            Servers = [new("https://one.example:8443"), new("https://two.example:8443/")],
            Writers = [new("https://origin.example")],
            Collections = new("https://origin.example"),
            Issuers = ["https://issuer.example"],
        };
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [], Caches = [], Namespaces = [foreign] });
        using HttpClient client = federation.Certificates.CreateHttpClient();

        using HttpResponseMessage read = await client.GetAsync(new Uri(federation.DiscoveryUrl + "/far/a,b"), cancellationToken);
        using HttpResponseMessage write = await client.PutAsync(new Uri(federation.DiscoveryUrl + "/far/x"), null, cancellationToken);

        await Assert.That(read.Headers.GetValues("Link").Single()).IsEqualTo(
            "<https://one.example:8443/far/a,b>; rel=\"duplicate\"; pri=1; depth=1, <https://two.example:8443/far/a,b>; rel=\"duplicate\"; pri=2; depth=1");
        await Assert.That(read.Headers.GetValues("X-Pelican-Namespace").Single())
            .IsEqualTo("namespace=/far, require-token=true, collections-url=https://origin.example");
        await Assert.That(write.Headers.Location).IsEqualTo(new Uri("https://origin.example/far/x"));
    }
}
