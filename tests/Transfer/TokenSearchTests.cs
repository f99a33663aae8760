using Microsoft.Extensions.Time.Testing;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class TokenSearchTests
{
    private const string Server = "origin.example:8443";
    private const string Refused = "origin.example:8443 refused /ns/dir/file: ";
    private static readonly ObjectPath Object = ObjectPath.FromPlain("/ns/dir/file");

    [Test]
    public async Task Without_a_token_it_says_where_was_looked()
    {
        TokenSearch search = new(TestToken.Request(), null,
            [new("BEARER_TOKEN", "not set"), new("/tmp/bt_u7", "belongs to user 8"), new("TOKEN", "not set")], new Redactor(), Clock());

        PelicanException refused = search.Refused(Object, Server, null);
        PelicanException notFound = search.NotFound(Object);

        await Assert.That(refused.Row).IsEqualTo(Errors.TokenNotFound);
        await Assert.That(refused.Message).IsEqualTo(
            Refused + "no token was found (not set: BEARER_TOKEN, TOKEN; belongs to user 8: /tmp/bt_u7)");
        await Assert.That(notFound.Row).IsEqualTo(Errors.TokenNotFound);
        await Assert.That(notFound.Message).IsEqualTo(
            "/ns/dir/file takes a token, and none was found (not set: BEARER_TOKEN, TOKEN; belongs to user 8: /tmp/bt_u7)");
        await Assert.That(refused.NextStep!).Contains("https://issuer.example").And.Contains("-t");
    }

    [Test]
    public async Task An_expired_token_is_said_to_be_expired_and_since_when()
    {
        PelicanException error = Explain(TestToken.Wlcg(expiresIn: -7200));

        await Assert.That(error.Row).IsEqualTo(Errors.TokenExpired);
        await Assert.That(error.Retryable).IsTrue();
        await Assert.That(error.Message).IsEqualTo(Refused + "the token from /run/bt_u7 expired at 2026-11-05T10:00:00Z, 2 h ago");
        await Assert.That(error.NextStep!).Contains("Renew");
    }

    [Test]
    public async Task An_expired_token_that_nobody_renews_is_expired_for_good()
    {
        string token = TestToken.Wlcg(expiresIn: -7200);
        TokenSearch search = new(TestToken.Request() with { IsRenewed = false },
            new BearerToken(token, "/run/bt_u7", TokenClaims.Parse(token)), [], new Redactor(), Clock());

        PelicanException error = search.Refused(Object, Server, null);

        await Assert.That((error.Row, error.Retryable, error.ExitStatus)).IsEqualTo((Errors.TokenExpired, false, 7));
    }

    [Test]
    public async Task A_scope_that_is_a_list_is_named_as_the_fault()
    {
        PelicanException error = Explain(TestToken.Jwt(TestToken.Issuer is var issuer
            ? $$"""{"wlcg.ver":"1.0","iss":"{{issuer}}","scope":["storage.read:/"],"exp":{{TestToken.Now.ToUnixTimeSeconds() + 60}}}""" : ""));

        await Assert.That(error.Row).IsEqualTo(Errors.Authorization);
        await Assert.That(error.Message).Contains("has its scopes as a list");
        await Assert.That(error.NextStep!).Contains("must be a string");
    }

    [Test]
    public async Task A_token_that_expires_after_the_search_is_expired_at_the_refusal()
    {
        FakeTimeProvider clock = Clock();
        TokenSearch search = Search(TestToken.Wlcg(expiresIn: 60), clock);
        clock.Advance(TimeSpan.FromSeconds(90));

        await Assert.That(search.Refused(Object, Server, null).Message).EndsWith("expired at 2026-11-05T12:01:00Z, 30 s ago");
    }

    [Test]
    public async Task A_token_from_the_future_points_at_the_clock()
    {
        PelicanException error = Explain(TestToken.Wlcg(validIn: 600));

        await Assert.That(error.Row).IsEqualTo(Errors.Authorization);
        await Assert.That(error.Retryable).IsTrue();
        await Assert.That(error.Message).IsEqualTo(Refused + "the token from /run/bt_u7 is not valid before 2026-11-05T12:10:00Z, 10 min from now");
        await Assert.That(error.NextStep!).Contains("2026-11-05T12:00:00Z");
    }

    [Test]
    public async Task A_strange_issuer_is_named_with_those_accepted()
    {
        PelicanException error = Explain(TestToken.Wlcg(issuer: "https://issuer.example/"));

        await Assert.That(error.Row).IsEqualTo(Errors.Authorization);
        await Assert.That(error.Retryable).IsFalse();
        await Assert.That(error.Message).IsEqualTo(
            Refused + "the token from /run/bt_u7 was issued by https://issuer.example/, and the namespace accepts https://issuer.example");
    }

    [Test]
    public async Task A_missing_scope_is_named_with_those_the_token_has()
    {
        PelicanException error = Explain(TestToken.Wlcg("storage.read:/di storage.create:/"), null, TokenPurpose.Read, TokenPurpose.Write);

        await Assert.That(error.Row).IsEqualTo(Errors.Authorization);
        await Assert.That(error.Message).IsEqualTo(
            Refused + "the token from /run/bt_u7 allows storage.read:/di, storage.create:/, and this takes storage.read:/dir/file");
        await Assert.That(error.NextStep).IsEqualTo("Get a token with the scope storage.read:/dir/file, storage.create:/dir/file.");
    }

    [Test]
    public async Task Two_faults_are_both_told_and_renewing_is_not_promised_to_help()
    {
        PelicanException error = Explain(TestToken.Wlcg("openid", expiresIn: -60));

        await Assert.That(error.Row).IsEqualTo(Errors.TokenExpired);
        await Assert.That(error.Retryable).IsFalse();
        await Assert.That(error.Message).IsEqualTo(Refused
            + "the token from /run/bt_u7 expired at 2026-11-05T11:59:00Z, 60 s ago; it also allows openid, and this takes storage.read:/dir/file");
    }

    [Test]
    public async Task An_audience_that_is_not_the_server_is_suspected()
    {
        PelicanException error = Explain(TestToken.Wlcg(more: ",\"aud\":\"https://elsewhere.example\""));

        await Assert.That(error.Row).IsEqualTo(Errors.Authorization);
        await Assert.That(error.Message).IsEqualTo(
            Refused + "the token from /run/bt_u7 is meant for https://elsewhere.example, which may not include this server");
        await Assert.That(error.NextStep!).Contains("https://wlcg.cern.ch/jwt/v1/any");
    }

    [Test]
    public async Task A_token_that_only_creates_is_suspected_when_a_write_is_refused()
    {
        PelicanException error = Explain(TestToken.Wlcg("storage.create:/"), null, TokenPurpose.Write);

        await Assert.That(error.Message).EndsWith("lets new objects be made but not existing ones be replaced, and this one may exist");
        await Assert.That(error.NextStep!).Contains("storage.modify:/dir/file");
    }

    [Test]
    public async Task A_token_that_looks_right_leaves_the_server()
    {
        PelicanException error = Explain(TestToken.Wlcg(more: ",\"aud\":\"ANY\""));

        await Assert.That(error.Row).IsEqualTo(Errors.Authorization);
        await Assert.That(error.Message).Contains("the token from /run/bt_u7 looks right");
        await Assert.That(error.NextStep!).Contains(Server).And.Contains(TestToken.Issuer);
    }

    [Test]
    public async Task An_opaque_token_is_left_to_the_server()
    {
        PelicanException error = Explain("opaque-token");

        await Assert.That(error.Row).IsEqualTo(Errors.Authorization);
        await Assert.That(error.Message).IsEqualTo(Refused + "the token from /run/bt_u7 is not a JWT, so only the server can judge it");
    }

    [Test]
    [Arguments(null, "")]
    [Arguments("", "")]
    [Arguments("Forbidden", "")]
    [Arguments("Unable to open /ns/dir/file; permission denied", "")]
    [Arguments("quota exceeded for group x", "; the server says: quota exceeded for group x")]
    [Arguments("bad token opaque-token", "; the server says: bad token [redacted]")]
    public async Task The_servers_words_are_added_when_they_say_something(string? text, string added)
    {
        await Assert.That(Explain("opaque-token", text).Message).EndsWith("can judge it" + added);
    }

    [Test]
    public async Task What_a_token_says_cannot_break_the_line()
    {
        string token = TestToken.Jwt("""{"iss":"https://x\r\nEvil: \u001b[31m\u202e","exp":1}""");

        PelicanException error = Explain(token, null);

        await Assert.That(error.Message.All(c => c is >= ' ' and <= '~')).IsTrue();
    }

    [Test]
    public async Task No_message_holds_a_part_of_the_token()
    {
        string[] tokens = ["opaque-token", TestToken.Wlcg(), TestToken.Wlcg(expiresIn: -1), TestToken.Wlcg("x"), TestToken.Wlcg(issuer: "y")];
        foreach (string token in tokens)
        {
            PelicanException error = Explain(token, $"no: {token} and Bearer {token}");

            await Assert.That(token.Split('.').Skip(token == tokens[0] ? 0 : 1).Any((error.Message + error.NextStep).Contains)).IsFalse();
        }
    }

    private static PelicanException Explain(string token, string? serverText = null, params TokenPurpose[] purposes) =>
        Search(token, Clock(), purposes).Refused(Object, Server, serverText);

    private static TokenSearch Search(string token, FakeTimeProvider clock, params TokenPurpose[] purposes)
    {
        Redactor redactor = new();
        redactor.Learn(token);
        return new TokenSearch(TestToken.Request("/ns/dir/file", purposes),
            new BearerToken(token, "/run/bt_u7", TokenClaims.Parse(token)), [], redactor, clock);
    }

    private static FakeTimeProvider Clock() => new(TestToken.Now);
}
