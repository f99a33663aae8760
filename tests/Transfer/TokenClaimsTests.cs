using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class TokenClaimsTests
{
    [Test]
    public async Task A_token_is_read_without_its_signature()
    {
        TokenClaims claims = TokenClaims.Parse(TestToken.Jwt("""
            {"wlcg.ver":"1.0","iss":"https://i","aud":["a","b"],"scope":"storage.read:/  storage.create:/x","exp":1700000000.75,"nbf":0}
            """))!;

        await Assert.That(claims.Profile).IsEqualTo(TokenProfile.Wlcg);
        await Assert.That(claims.Issuer).IsEqualTo("https://i");
        await Assert.That(string.Join('|', claims.Audiences)).IsEqualTo("a|b");
        await Assert.That(string.Join('|', claims.Scopes)).IsEqualTo("storage.read:/|storage.create:/x");
        await Assert.That(claims.Expires).IsEqualTo(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        await Assert.That(claims.NotBefore).IsEqualTo(DateTimeOffset.UnixEpoch);
    }

    [Test]
    [Arguments("{\"ver\":\"scitoken:2.0\"}", nameof(TokenProfile.SciTokens))]
    [Arguments("{\"ver\":\"scitokens:2.0\"}", nameof(TokenProfile.SciTokens))]
    [Arguments("{\"ver\":\"scitoken:1.0\"}", nameof(TokenProfile.Unknown))]
    [Arguments("{\"ver\":2}", nameof(TokenProfile.Unknown))]
    [Arguments("{\"wlcg.ver\":1}", nameof(TokenProfile.Wlcg))]
    [Arguments("{\"wlcg.ver\":null}", nameof(TokenProfile.Unknown))]
    [Arguments("{}", nameof(TokenProfile.Unknown))]
    public async Task The_profile_is_what_the_version_claims_say(string payload, string profile)
    {
        await Assert.That(TokenClaims.Parse(TestToken.Jwt(payload))!.Profile.ToString()).IsEqualTo(profile);
    }

    [Test]
    public async Task Scopes_may_be_an_array()
    {
        TokenClaims claims = TokenClaims.Parse(TestToken.Jwt("""{"scope":["read:/a write:/b",7,"read:/c"]}"""))!;

        await Assert.That(string.Join('|', claims.Scopes)).IsEqualTo("read:/a|write:/b|read:/c");
    }

    [Test]
    public async Task Claims_of_the_wrong_type_count_as_absent()
    {
        TokenClaims claims = TokenClaims.Parse(TestToken.Jwt("""{"iss":7,"aud":{},"scope":null,"exp":"soon","nbf":[]}"""))!;

        await Assert.That(claims.Issuer).IsNull();
        await Assert.That(claims.Audiences.Count + claims.Scopes.Count).IsEqualTo(0);
        await Assert.That(claims.Expires ?? claims.NotBefore).IsNull();
    }

    [Test]
    [Arguments("1e300", 9999)]
    [Arguments("1e999", 9999)]
    [Arguments("-1e300", 1)]
    public async Task An_absurd_time_is_cut_to_what_a_date_can_hold(string seconds, int year)
    {
        await Assert.That(TokenClaims.Parse(TestToken.Jwt($$"""{"exp":{{seconds}}}"""))!.Expires!.Value.Year).IsEqualTo(year);
    }

    [Test]
    [Arguments("")]
    [Arguments("opaque")]
    [Arguments("a.b")]
    [Arguments("...")]
    [Arguments("eyJhIjoxfQ.!!!.x")]
    [Arguments("eyJhIjoxfQ.eyJhIjox.x")]
    [Arguments("WzFd.eyJhIjoxfQ.x")]
    [Arguments("eyJhIjoxfQ.WzFd.x")]
    [Arguments("eyJhIjoxfQ.eyJhIjoxfQ.x.y.z")]
    public async Task What_is_no_signed_JWT_has_no_claims(string token)
    {
        await Assert.That(TokenClaims.Parse(token)).IsNull();
    }

    [Test]
    public async Task Hostile_JSON_is_no_token()
    {
        string deep = TestToken.Jwt($$"""{"a":{{new string('[', 5000)}}""");
        string halfPair = TestToken.Jwt("""{"iss":"\ud800"}""");

        await Assert.That(TokenClaims.Parse(deep)).IsNull();
        await Assert.That(TokenClaims.Parse(halfPair)).IsNull();
    }
}
