using System.Net;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class DirectorHeadersTests
{
    [Test]
    [Arguments("<https://a/o>; rel=\"duplicate\"; pri=1; depth=2, <https://b/o>; rel=\"duplicate\"; pri=2; depth=2", "https://a/o https://b/o")]
    [Arguments("<https://a/o>;rel=duplicate;pri=2,<https://b/o>;rel=duplicate;pri=1", "https://b/o https://a/o")]
    [Arguments("<https://a/x,y;z>; rel=\"duplicate\"; pri=1, <https://b/o>; pri=2", "https://a/x,y;z https://b/o")]
    [Arguments("<https://a/o>; title=\"a, <https://evil/o>; pri=0\"; pri=2, <https://b/o>; pri=1", "https://b/o https://a/o")]
    [Arguments("<https://a/o>; title=\"say \\\"hi\\\", b\"; pri=2, <https://b/o>; pri=1", "https://b/o https://a/o")]
    [Arguments("<https://a/o>; pri=\"2\" , <https://b/o>; PRI = 1", "https://b/o https://a/o")]
    [Arguments("<https://a/o>; pri=1; pri=9, <https://b/o>; pri=2", "https://a/o https://b/o")]
    [Arguments("<https://a/o>; pri=1, <https://b/o>", "https://b/o https://a/o")]
    [Arguments("<https://a/o>; pri=1, <https://b/o>; pri=soon", "https://b/o https://a/o")]
    [Arguments("<https://a/o>; pri=1, <https://b/o>; pri=1, <https://c/o>; pri=1, <https://d/o>; pri=0", "https://d/o https://a/o https://b/o https://c/o")]
    [Arguments("<https://a/o>; rel=describedby, <https://b/o>; rel=\"first Duplicate\"", "https://b/o")]
    [Arguments("<https://a/o>, <https://b/o>", "https://a/o https://b/o")]
    [Arguments("< https://a/o >; pri=1", "https://a/o")]
    [Arguments("<ftp://a/o>, </o>, <>, <https://user@a/o>, <http://b/o>", "http://b/o")]
    [Arguments("<https://a/o>; pri=1, <https://b/o", "https://a/o")]
    [Arguments("<https://a/o>; title=\"never closed, <https://b/o>", "https://a/o")]
    [Arguments("https://a/o", "")]
    [Arguments("", "")]
    public async Task Links_are_read_as_RFC_8288_has_them(string header, string servers)
    {
        await Assert.That(string.Join(' ', DirectorHeaders.Links(header).Select(url => url.OriginalString))).IsEqualTo(servers);
    }

    [Test]
    public async Task Escapes_of_a_server_stay_as_they_are()
    {
        Uri url = DirectorHeaders.Links("<https://a/x%2Fy%41%23z>").Single();

        await Assert.That(url.AbsoluteUri).IsEqualTo("https://a/x%2Fy%41%23z");
    }

    [Test]
    public async Task A_full_answer_is_read()
    {
        DirectorAnswer answer = Read(
            ("Location", "https://a/ns/o?authz=x"),
            ("Link", "<https://a/ns/o>; rel=\"duplicate\"; pri=1"),
            ("X-Pelican-Namespace", "namespace=/ns/, require-token=true, collections-url=https://origin.example:8444/api/v1.0/origin/data"),
            ("X-Pelican-Authorization", "issuer=https://iss.example"),
            ("X-Pelican-Token-Generation", "issuer=https://iss.example, max-scope-depth=3, strategy=OAuth2, base-path=/ns"));

        await Assert.That(Servers(answer)).IsEqualTo("https://a/ns/o");
        await Assert.That(answer.Namespace).IsEqualTo("/ns");
        await Assert.That(answer.RequireToken).IsTrue();
        await Assert.That(answer.CollectionsUrl!.AbsoluteUri).IsEqualTo("https://origin.example:8444/api/v1.0/origin/data");
        await Assert.That(answer.Issuers).IsEquivalentTo(["https://iss.example"]);
        await Assert.That(answer.TokenGeneration!.Issuers).IsEquivalentTo(["https://iss.example"]);
        await Assert.That(answer.TokenGeneration.MaxScopeDepth).IsEqualTo(3);
        await Assert.That(answer.TokenGeneration.Strategy).IsEqualTo("OAuth2");
        await Assert.That(answer.TokenGeneration.BasePath).IsEqualTo("/ns");
    }

    [Test]
    public async Task What_is_not_said_is_not_made_up()
    {
        DirectorAnswer answer = Read();

        await Assert.That(answer.Servers).IsEmpty();
        await Assert.That(answer.Namespace).IsEqualTo("");
        await Assert.That(answer.RequireToken).IsFalse();
        await Assert.That(answer.CollectionsUrl).IsNull();
        await Assert.That(answer.Issuers).IsEmpty();
        await Assert.That(answer.TokenGeneration).IsNull();
    }

    [Test]
    [Arguments("https://a/ns/o?authz=x&y=1", "https://a/ns/o?y=1")]
    [Arguments("https://a/ns/x%2Fy", "https://a/ns/x%2Fy")]
    [Arguments("/ns/o", "")]
    [Arguments("ftp://a/ns/o", "")]
    [Arguments("file:///etc/passwd", "")]
    [Arguments("https://user@a/ns/o", "")]
    public async Task Without_links_the_location_is_the_server_if_it_is_one(string location, string servers)
    {
        await Assert.That(Servers(Read(("Location", location)))).IsEqualTo(servers);
    }

    [Test]
    public async Task Repeated_and_merged_lines_say_the_same()
    {
        DirectorAnswer repeated = Read(
            ("Link", "<https://a/o>; pri=2"), ("Link", "<https://b/o>; pri=1"),
            ("X-Pelican-Authorization", "issuer=https://i1"), ("X-Pelican-Authorization", "issuer=https://i2"),
            ("X-Pelican-Token-Generation", "issuer=https://i1"), ("X-Pelican-Token-Generation", "issuer=https://i2, strategy=OAuth2"));
        DirectorAnswer merged = Read(
            ("Link", "<https://a/o>; pri=2, <https://b/o>; pri=1"),
            ("X-Pelican-Authorization", "issuer=https://i1,issuer=https://i2"),
            ("X-Pelican-Token-Generation", "issuer = https://i1 , issuer=https://i2,strategy=OAuth2"));

        foreach (DirectorAnswer answer in (DirectorAnswer[])[repeated, merged])
        {
            await Assert.That(Servers(answer)).IsEqualTo("https://b/o https://a/o");
            await Assert.That(string.Join(' ', answer.Issuers)).IsEqualTo("https://i1 https://i2");
            await Assert.That(string.Join(' ', answer.TokenGeneration!.Issuers)).IsEqualTo("https://i1 https://i2");
            await Assert.That(answer.TokenGeneration.Strategy).IsEqualTo("OAuth2");
        }
    }

    [Test]
    [Arguments("true", true)]
    [Arguments("True", true)]
    [Arguments("TRUE", true)]
    [Arguments("t", true)]
    [Arguments("T", true)]
    [Arguments("1", true)]
    [Arguments("false", false)]
    [Arguments("0", false)]
    [Arguments("F", false)]
    [Arguments("yes", false)]
    [Arguments("", false)]
    public async Task A_boolean_is_what_Go_takes_for_one(string value, bool required)
    {
        await Assert.That(Read(("X-Pelican-Namespace", $"namespace=/ns, require-token={value}")).RequireToken).IsEqualTo(required);
    }

    [Test]
    [Arguments("namespace=/ns, collections-url=")]
    [Arguments("namespace=/ns, collections-url=ftp://x")]
    [Arguments("namespace=/ns, collections-url=/here")]
    [Arguments("namespace=/ns, unknown, other=x")]
    public async Task A_collections_URL_that_is_none_is_not_offered(string header)
    {
        DirectorAnswer answer = Read(("X-Pelican-Namespace", header));

        await Assert.That(answer.CollectionsUrl).IsNull();
        await Assert.That(answer.Namespace).IsEqualTo("/ns");
    }

    [Test]
    [Arguments("issuer=https://i, strategy=OAuth2", 0)]
    [Arguments("issuer=https://i, max-scope-depth=0", 0)]
    [Arguments("issuer=https://i, max-scope-depth=-1", 0)]
    [Arguments("issuer=https://i, max-scope-depth=deep", 0)]
    [Arguments("max-scope-depth=7, issuer=https://i, vault-server=https://v", 7)]
    public async Task A_scope_depth_that_is_omitted_is_no_limit(string header, int depth)
    {
        TokenGeneration generation = Read(("X-Pelican-Token-Generation", header)).TokenGeneration!;

        await Assert.That(generation.MaxScopeDepth).IsEqualTo(depth);
        await Assert.That(generation.Issuers).IsEquivalentTo(["https://i"]);
    }

    private static DirectorAnswer Read(params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage response = new(HttpStatusCode.TemporaryRedirect);
        foreach ((string name, string value) in headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        return DirectorHeaders.Read(response);
    }

    private static string Servers(DirectorAnswer answer) => string.Join(' ', answer.Servers.Select(url => url.OriginalString));
}
