using System.Runtime.InteropServices;
using Microsoft.Extensions.Time.Testing;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed partial class TokenFinderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("token-finder-");
    private readonly LogLines _log = new();
    private readonly Redactor _redactor = new();
    private readonly FakeTimeProvider _clock = new(TestToken.Now);

    public void Dispose() => _folder.Delete(recursive: true);

    [Test]
    public async Task Places_are_tried_in_the_order_of_discovery()
    {
        string own = $"bt_u{UserId()}";
        Write("run/" + own, "opaque-run");
        Write("tmp/" + own, "opaque-tmp");
        Write("creds/scitokens.use", "opaque-scitokens");
        Write("creds/zeta.use", "opaque-zeta");
        Write("creds/Alpha.use", "opaque-alpha");
        Write("creds/named.use", "opaque-named");
        Write("creds/.hidden.use", "opaque-hidden");
        Write("creds/other.top", "opaque-top");
        Directory.CreateDirectory(At("creds/directory.use"));
        TokenEnvironment everything = Environment(
            bearer: " opaque-variable ", bearerFile: Write("bearer", "opaque-bearer"), legacy: Write("legacy", "opaque-legacy"));

        TokenSearch search = Find(everything, TestToken.Request() with { TokenName = "named" });

        await Assert.That(search.Token!.Value).IsEqualTo("opaque-variable");
        IEnumerable<string> names = search.Places.Select(place => place.Name.Replace(_folder.FullName, "", StringComparison.Ordinal));
        await Assert.That(string.Join('\n', names)).IsEqualTo($"""
            BEARER_TOKEN
            BEARER_TOKEN_FILE (/bearer)
            /run/{own}
            /tmp/{own}
            TOKEN (/legacy)
            /creds/named.use
            /creds/scitokens.use
            /creds/Alpha.use
            /creds/zeta.use
            """);
    }

    [Test]
    public async Task The_first_token_that_suits_ends_the_search()
    {
        TokenEnvironment environment = Environment(
            bearer: TestToken.Wlcg("storage.read:/elsewhere"),
            bearerFile: Write("good", TestToken.Wlcg()),
            legacy: Write("better", TestToken.Wlcg()));

        TokenSearch search = Find(environment);

        await Assert.That(search.Token!.Place).IsEqualTo($"BEARER_TOKEN_FILE ({At("good")})");
        await Assert.That(search.Places.Count).IsEqualTo(2);
        await Assert.That(search.Places[1].Found).IsEqualTo("suits");
        await Assert.That(_log.Warnings).IsEmpty();
    }

    [Test]
    public async Task Nothing_anywhere_is_a_result()
    {
        TokenSearch search = Find(new TokenEnvironment { UserId = UserId(), TemporaryDirectory = At("tmp") });

        await Assert.That(search.Token).IsNull();
        await Assert.That(search.ToString()).IsEqualTo("no token");
        await Assert.That(string.Join(' ', search.Places.Select(place => place.Found).Distinct())).IsEqualTo("not set no such file");
        await Assert.That(_log.All).IsEmpty();
    }

    [Test]
    public async Task Of_unsuitable_tokens_the_least_hopeless_is_used_and_the_log_says_so()
    {
        string[] fromBest =
        [
            "opaque-token",
            TestToken.Jwt($$"""{"iss":"{{TestToken.Issuer}}","scope":"read:/"}"""),
            TestToken.Wlcg("storage.read:/elsewhere"),
            TestToken.Wlcg(validIn: 60),
            TestToken.Wlcg(expiresIn: -60),
            TestToken.Wlcg(issuer: "https://stranger.example"),
        ];
        for (int worse = 1; worse < fromBest.Length; worse++)
        {
            TokenEnvironment environment = Environment(bearer: fromBest[worse], bearerFile: Write("better", fromBest[worse - 1]));

            await Assert.That(Find(environment).Token!.Value).IsEqualTo(fromBest[worse - 1]);
        }

        TokenSearch alone = Find(Environment(bearer: fromBest[^1]));
        await Assert.That(alone.Token!.Value).IsEqualTo(fromBest[^1]);
        await Assert.That(_log.Warnings[^1]).IsEqualTo(
            "Warning: Using the token from BEARER_TOKEN for /ns/dir/file although it was issued by https://stranger.example, "
            + "and the namespace accepts https://issuer.example.");
    }

    [Test]
    public async Task Of_equally_unsuitable_tokens_the_first_is_used()
    {
        TokenSearch search = Find(Environment(bearer: "opaque-first", bearerFile: Write("second", "opaque-second")));

        await Assert.That(search.Token!.Value).IsEqualTo("opaque-first");
    }

    [Test]
    public async Task One_thing_is_warned_of_once()
    {
        TokenFinder finder = Finder(Environment(bearer: TestToken.Wlcg(expiresIn: -1), bearerFile: At("none")));

        for (int i = 0; i < 5; i++)
        {
            finder.Find(TestToken.Request("/ns/" + i));
        }

        await Assert.That(_log.Warnings.Count).IsEqualTo(2);
    }

    [Test]
    public async Task A_file_named_by_the_user_is_used_alone_and_whatever_it_is()
    {
        TokenRequest request = TestToken.Request() with { TokenFile = Write("mine", TestToken.Wlcg(expiresIn: -1)) };

        TokenSearch search = Find(Environment(bearer: TestToken.Wlcg()), request);

        await Assert.That(search.Token!.Place).IsEqualTo(At("mine"));
        await Assert.That(search.Places.Count).IsEqualTo(1);
        await Assert.That(_log.Warnings.Count).IsEqualTo(1);
    }

    [Test]
    [Arguments(null, "no such file")]
    [Arguments("", "empty")]
    [Arguments("a b", "not a token: it has blanks, control or other characters")]
    public async Task A_file_named_by_the_user_that_holds_no_token_is_an_error(string? content, string found)
    {
        string file = content is null ? At("mine") : Write("mine", content);
        TokenFinder finder = Finder(Environment(bearer: TestToken.Wlcg()));

        PelicanException error = Assert.Throws<PelicanException>(
            () => finder.Find(TestToken.Request() with { TokenFile = file }));

        await Assert.That(error.Row).IsEqualTo(Errors.TokenNotFound);
        await Assert.That(error.Message).IsEqualTo($"the token file {file} holds no token: {found}");
        await Assert.That(error.NextStep).IsNotNull();
    }

    [Test]
    public async Task A_file_renewed_since_the_last_search_is_read_again()
    {
        TokenFinder finder = Finder(Environment(bearerFile: Write("token", TestToken.Wlcg(expiresIn: -1))));
        TokenSearch before = finder.Find(TestToken.Request());
        string renewed = TestToken.Wlcg(expiresIn: 3600);
        Write("token", renewed);

        TokenSearch after = finder.Find(TestToken.Request());

        await Assert.That(before.Token!.Value).IsNotEqualTo(renewed);
        await Assert.That(after.Token!.Value).IsEqualTo(renewed);
    }

    [Test]
    public async Task Tokens_of_other_people_in_a_shared_directory_are_passed_over_with_a_warning()
    {
        uint stranger = UserId() + 1;
        Write($"tmp/bt_u{stranger}", TestToken.Wlcg());

        TokenSearch search = Find(new TokenEnvironment { UserId = stranger, TemporaryDirectory = At("tmp") });

        await Assert.That(search.Token).IsNull();
        await Assert.That(_log.Warnings.Single()).Contains($"belongs to user {UserId()}");
    }

    [Test]
    public async Task A_link_in_a_shared_directory_is_passed_over_with_a_warning()
    {
        Directory.CreateDirectory(At("tmp"));
        File.CreateSymbolicLink(At($"tmp/bt_u{UserId()}"), Write("private", "secret-of-another-program"));

        TokenSearch search = Find(Environment());

        await Assert.That(search.Token).IsNull();
        await Assert.That(_log.Warnings.Single()).Contains("a symbolic link");
    }

    [Test]
    [Arguments("my.tok.name", "my_tok_name.use")]
    [Arguments("only.dots", "only.dots.use")]
    [Arguments("mixed", "Mixed.use")]
    public async Task A_token_name_picks_its_file(string name, string expected)
    {
        foreach (string file in (string[])["my_tok_name.use", "my.tok.name.use", "only.dots.use", "Mixed.use", "aaa.use", "scitokens.use"])
        {
            Write("creds/" + file, "opaque-" + file);
        }

        TokenSearch search = Find(Environment(), TestToken.Request() with { TokenName = name });

        await Assert.That(search.Token!.Value).IsEqualTo("opaque-" + expected);
        await Assert.That(_log.Warnings).IsEmpty();
    }

    [Test]
    public async Task A_token_name_without_a_file_is_warned_of_and_the_others_serve()
    {
        Write("creds/scitokens.use", "opaque-scitokens");

        TokenSearch search = Find(Environment(), TestToken.Request() with { TokenName = "absent" });

        await Assert.That(search.Token!.Value).IsEqualTo("opaque-scitokens");
        await Assert.That(_log.Warnings.Single()).IsEqualTo($"Warning: Found no token in {At("creds/absent.use")} (no such file).");
    }

    [Test]
    public async Task A_token_put_where_a_file_name_belongs_is_not_shown()
    {
        string jwt = TestToken.Wlcg();
        const string Opaque = "ghp_0123456789abcdef";

        TokenSearch search = Find(Environment(bearerFile: jwt, legacy: Opaque));
        PelicanException error = Assert.Throws<PelicanException>(
            () => Finder(Environment()).Find(TestToken.Request() with { TokenFile = At(jwt) }));

        string all = string.Join('\n',
            [.. search.Places.Select(place => place.ToString()), .. _log.All, error.Message, search.NotFound(ObjectPath.Root).Message]);
        await Assert.That(all).DoesNotContain(TestToken.Signature);
        await Assert.That(all).DoesNotContain(Opaque);
    }

    [Test]
    public async Task Every_token_read_is_taught_to_the_redactor_and_shown_by_nothing()
    {
        TokenSearch search = Find(Environment(bearer: "opaque-first", bearerFile: Write("second", "opaque-second")));

        await Assert.That(_redactor.Redact("opaque-first opaque-second")).IsEqualTo("[redacted] [redacted]");
        await Assert.That($"{search} {search.Token}").DoesNotContain("opaque-");
        await Assert.That(string.Join('\n', _log.All.Concat(search.Places.Select(place => place.ToString())))).DoesNotContain("opaque-");
    }

    [Test]
    public async Task Our_own_lines_pass_the_redactor_unharmed()
    {
        Find(Environment(bearer: "two words", bearerFile: Write("b", "{}"), legacy: Write("c", TestToken.Wlcg(expiresIn: -9))));

        foreach (string line in _log.All)
        {
            await Assert.That(_redactor.Redact(line)).IsEqualTo(line);
        }

        await Assert.That(_log.All.Count).IsEqualTo(3);
    }

    private TokenSearch Find(TokenEnvironment environment, TokenRequest? request = null) =>
        Finder(environment).Find(request ?? TestToken.Request());

    private TokenFinder Finder(TokenEnvironment environment) => new(environment, _redactor, _clock, _log);

    private TokenEnvironment Environment(string? bearer = null, string? bearerFile = null, string? legacy = null) => new()
    {
        UserId = UserId(),
        BearerToken = bearer,
        BearerTokenFile = bearerFile,
        RuntimeDirectory = At("run"),
        TemporaryDirectory = At("tmp"),
        LegacyTokenFile = legacy,
        CondorCredentials = At("creds"),
    };

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private string Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), content);
        return At(name);
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
