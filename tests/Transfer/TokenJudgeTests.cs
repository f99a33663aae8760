using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class TokenJudgeTests
{
    [Test]
    [Arguments("storage.read:/", "/ns/a/b", true)]
    [Arguments("storage.read", "/ns/a/b", true)]
    [Arguments("storage.read:", "/ns/a/b", true)]
    [Arguments("storage.read:/a", "/ns/a/b", true)]
    [Arguments("storage.read:/a/", "/ns/a/b", true)]
    [Arguments("storage.read:/a/b", "/ns/a/b", true)]
    [Arguments("storage.read:/a/b/", "/ns/a/b", true)]
    [Arguments("storage.read:/a", "/ns/ab", false)]
    [Arguments("storage.read:/a/b/c", "/ns/a/b", false)]
    [Arguments("storage.read:/ns/a", "/ns/a/b", false)]
    [Arguments("storage.read:/A", "/ns/a/b", false)]
    [Arguments("storage.read:/x/../a", "/ns/a/b", false)]
    [Arguments("storage.read:/", "/ns", true)]
    [Arguments("storage.read:/a", "/ns", false)]
    [Arguments("storage.read:/a%20b", "/ns/a b", true)]
    [Arguments("storage.read:/50%", "/ns/50%", true)]
    [Arguments("storage.read:/a:b", "/ns/a:b/c", true)]
    [Arguments("storage.reader:/", "/ns/a", false)]
    [Arguments("read:/", "/ns/a", false)]
    [Arguments("storage.create:/ storage.modify:/", "/ns/a", false)]
    [Arguments("openid storage.read:/x storage.read:/a", "/ns/a/b", true)]
    [Arguments("", "/ns/a", false)]
    public async Task A_scope_covers_a_path_by_whole_components(string scope, string path, bool suits)
    {
        await Assert.That(Faults(TestToken.Wlcg(scope), TestToken.Request(path))).IsEqualTo(suits ? "" : "Scope");
    }

    [Test]
    [Arguments("storage.read:/", "Read List", true)]
    [Arguments("storage.create:/", "Write", true)]
    [Arguments("storage.modify:/", "Write Delete", true)]
    [Arguments("storage.create:/", "Delete", false)]
    [Arguments("storage.create:/", "Read Write", false)]
    [Arguments("storage.read:/ storage.create:/", "Read Write", true)]
    public async Task Every_purpose_needs_a_scope(string scope, string purposes, bool suits)
    {
        TokenRequest request = TestToken.Request("/ns/a", [.. purposes.Split(' ').Select(Enum.Parse<TokenPurpose>)]);

        await Assert.That(Faults(TestToken.Wlcg(scope), request)).IsEqualTo(suits ? "" : "Scope");
    }

    [Test]
    [Arguments("read:/a", nameof(TokenPurpose.Read), "")]
    [Arguments("write:/a", nameof(TokenPurpose.Delete), "")]
    [Arguments("storage.read:/", nameof(TokenPurpose.Read), "Scope")]
    public async Task SciTokens_have_names_of_their_own(string scope, string purpose, string faults)
    {
        string token = TestToken.Jwt($$"""{"ver":"scitoken:2.0","iss":"{{TestToken.Issuer}}","scope":"{{scope}}"}""");

        await Assert.That(Faults(token, TestToken.Request("/ns/a", Enum.Parse<TokenPurpose>(purpose)))).IsEqualTo(faults);
    }

    [Test]
    [Arguments("/ns", "/ns/a", "/", "")]
    [Arguments("/other", "/ns/a", "/a", "")]
    [Arguments("/ns/a", "/ns/a/b", "/b", "")]
    [Arguments("/ns/a", "/ns/ab", "/b", "Scope")]
    [Arguments("/ns/very/long/base/path", "/ns/a", "/a", "")]
    public async Task A_base_path_is_subtracted_only_where_it_is_a_prefix(string basePath, string path, string scope, string faults)
    {
        TokenRequest request = TestToken.Request(path) with { Answer = TestToken.Answer(basePath) };

        await Assert.That(Faults(TestToken.Wlcg("storage.read:" + scope), request)).IsEqualTo(faults);
    }

    [Test]
    [Arguments("/ns", "/nsx/a", "Namespace")]
    [Arguments("/ns/", "/ns/a", "")]
    [Arguments("/", "/ns/a", "")]
    [Arguments("", "/ns/a", "")]
    public async Task The_object_must_lie_in_the_namespace(string @namespace, string path, string faults)
    {
        TokenRequest request = TestToken.Request(path) with { Answer = TestToken.Answer(null, @namespace) };

        await Assert.That(Faults(TestToken.Wlcg(), request)).IsEqualTo(faults);
    }

    [Test]
    [Arguments(1, 0, "")]
    [Arguments(0, 0, "Expired")]
    [Arguments(-1, -10, "Expired")]
    [Arguments(10, 1, "NotYetValid")]
    public async Task Time_is_taken_to_the_second(int expiresIn, int validIn, string faults)
    {
        await Assert.That(Faults(TestToken.Wlcg(expiresIn: expiresIn, validIn: validIn), TestToken.Request())).IsEqualTo(faults);
    }

    [Test]
    public async Task A_token_without_times_is_always_in_time()
    {
        string token = TestToken.Jwt($$"""{"wlcg.ver":"1.0","iss":"{{TestToken.Issuer}}","scope":"storage.read:/"}""");

        await Assert.That(Faults(token, TestToken.Request())).IsEqualTo("");
    }

    [Test]
    public async Task Issuers_of_the_token_generation_come_before_those_of_the_namespace()
    {
        DirectorAnswer both = TestToken.Answer() with { Issuers = ["https://second.example"] };
        DirectorAnswer second = both with { TokenGeneration = null };
        DirectorAnswer none = second with { Issuers = [] };
        string token = TestToken.Wlcg(issuer: "https://second.example");

        await Assert.That(Faults(token, TestToken.Request() with { Answer = both })).IsEqualTo("Issuer");
        await Assert.That(Faults(token, TestToken.Request() with { Answer = second })).IsEqualTo("");
        await Assert.That(Faults(token, TestToken.Request() with { Answer = none })).IsEqualTo("");
    }

    [Test]
    public async Task A_token_of_no_known_profile_has_only_that_against_it()
    {
        string token = TestToken.Jwt($$"""{"iss":"{{TestToken.Issuer}}","scope":"read:/"}""");

        await Assert.That(Faults(token, TestToken.Request())).IsEqualTo("Profile");
    }

    [Test]
    public async Task The_most_certain_fault_comes_first_and_no_other_is_kept_back()
    {
        await Assert.That(Faults(TestToken.Wlcg("storage.read:/other", expiresIn: -1), TestToken.Request())).IsEqualTo("Expired Scope");
        await Assert.That(Faults(TestToken.Wlcg("x", "https://b", expiresIn: -1), TestToken.Request())).IsEqualTo("Expired Issuer");
        await Assert.That(Faults("opaque-token", TestToken.Request())).IsEqualTo("Opaque");
    }

    [Test]
    [Arguments("\"https://wlcg.cern.ch/jwt/v1/any\"", true)]
    [Arguments("\"ANY\"", true)]
    [Arguments("\"origin.example\"", true)]
    [Arguments("\"https://ORIGIN.example\"", true)]
    [Arguments("\"origin.example:1094\"", true)]
    [Arguments("\"root://origin.example:1094\"", true)]
    [Arguments("[\"other\",\"https://origin.example:8443\"]", true)]
    [Arguments("\"https://other.example\"", false)]
    [Arguments("\"https://origin.example.evil\"", false)]
    [Arguments("\":::\"", false)]
    public async Task An_audience_is_any_or_the_servers_host(string audience, bool suits)
    {
        TokenClaims claims = TokenClaims.Parse(TestToken.Jwt($$"""{"aud":{{audience}}}"""))!;

        await Assert.That(TokenJudge.IsFor(claims, "origin.example:8443")).IsEqualTo(suits);
    }

    private static string Faults(string token, TokenRequest request) => string.Join(' ',
        TokenJudge.Judge(TokenClaims.Parse(token), request, TestToken.Now).Select(flaw => flaw.Fault));
}
