using System.Text.Json;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class RedactorTests
{
    [Test]
    [Arguments("nothing to hide", "nothing to hide")]
    [Arguments("got eyJhbGc.eyJpc3M.c2ln, ok", "got eyJhbGc.[redacted], ok")]
    [Arguments("eyJhbGc.eyJpc3M.c2ln", "eyJhbGc.[redacted]")]
    [Arguments("cut short: eyJhbGc.eyJpc3", "cut short: eyJhbGc.[redacted]")]
    [Arguments("encrypted eyJhbGc.a.b.c.d.", "encrypted eyJhbGc.[redacted].")]
    [Arguments("Bearer%20eyJhbGc.eyJpc3M.c2ln", "Bearer%20eyJhbGc.[redacted]")]
    [Arguments("a sentence with eyJhbGc. And more", "a sentence with eyJhbGc. And more")]
    [Arguments("Authorization: Bearer s3cret\r\nAccept: */*", "Authorization: Bearer [redacted]\r\nAccept: */*")]
    [Arguments("authorization: Basic dXNlcjpw", "authorization: Basic [redacted]")]
    [Arguments("Authorization: s3cret", "Authorization: [redacted]")]
    [Arguments("Authorization: Odd s3cret", "Authorization: [redacted]")]
    [Arguments("TransferHeaderAuthorization: Bearer s3cret", "TransferHeaderAuthorization: Bearer [redacted]")]
    [Arguments("{\"Authorization\":\"Bearer s3cret\",\"a\":1}", "{\"Authorization\":\"[redacted]\",\"a\":1}")]
    [Arguments("[Authorization, Bearer s3cret]", "[Authorization, Bearer [redacted]]")]
    [Arguments("X-Pelican-Authorization: issuer=https://i.example", "X-Pelican-Authorization: issuer=https://i.example")]
    [Arguments("a bearer token is needed", "a bearer token is needed")]
    [Arguments("the token from /home/u/t.bearer holds a line feed", "the token from /home/u/t.bearer holds a line feed")]
    [Arguments("cannot use pelican://u:pw@host:8443/x", "cannot use pelican://u:[redacted]@host:8443/x")]
    [Arguments("osdf:///a:b@c and https://h/u:p@x", "osdf:///a:b@c and https://h/u:p@x")]
    [Arguments("/u/my-bearer 2.txt", "/u/my-bearer 2.txt")]
    [Arguments("bearer s3cret", "bearer [redacted]")]
    [Arguments("https://h/p?authz=Bearer%20s3cret&x=1", "https://h/p?authz=[redacted]&x=1")]
    [Arguments("https://h/p?x=1&authz=s3cret", "https://h/p?x=1&authz=[redacted]")]
    [Arguments("authz=Bearer s3cret next", "authz=[redacted] next")]
    [Arguments("(https://h/p?access_token=s3cret)", "(https://h/p?access_token=[redacted])")]
    [Arguments("u=https%3A%2F%2Fh%3Faccess_token%3Ds3cret%26x%3D1", "u=https%3A%2F%2Fh%3Faccess_token%3D[redacted]%26x%3D1")]
    [Arguments("{\"access_token\": \"s3 \\\" cret\", \"b\":2}", "{\"access_token\": \"[redacted]\", \"b\":2}")]
    [Arguments("\"{\\\"refresh_token\\\":\\\"s3cret\\\",\\\"b\\\":2}\"", "\"{\\\"refresh_token\\\":\\\"[redacted]\\\",\\\"b\\\":2}\"")]
    [Arguments("client_secret: s3cret", "client_secret: [redacted]")]
    [Arguments("client_secret='s3 cret'", "client_secret='[redacted]'")]
    [Arguments("{\"access_token\":\"s3cret unclosed", "{\"access_token\":\"[redacted]")]
    [Arguments("BEARER_TOKEN=s3cret", "BEARER_TOKEN=[redacted]")]
    [Arguments("BEARER_TOKEN_FILE=/run/x", "BEARER_TOKEN_FILE=/run/x")]
    [Arguments("access_token=", "access_token=")]
    [Arguments("authz", "authz")]
    public async Task Secrets_are_known_by_their_shape_or_by_what_stands_before_them(string text, string expected)
    {
        Redactor redactor = new();

        await Assert.That(redactor.Redact(text)).IsEqualTo(expected);
        await Assert.That(redactor.Redact(expected)).IsEqualTo(expected);
    }

    [Test]
    public async Task A_learned_secret_is_hidden_however_it_is_spelled()
    {
        const string Secret = "op/aque+tok&en==";
        Redactor redactor = new();
        redactor.Learn(Secret);
        redactor.Learn("op/aque+tok&en==-and-more");

        await Assert.That(redactor.Redact($"x{Secret}y {Uri.EscapeDataString(Secret)} {JsonEncodedText.Encode(Secret)}"))
            .IsEqualTo("x[redacted]y [redacted] [redacted]");
        await Assert.That(redactor.Redact("op/aque+tok&en==-and-more")).IsEqualTo("[redacted]");
    }

    [Test]
    [Arguments("said: opaque-secret-of…", "said: [redacted]…")]
    [Arguments("said: opaque-secret-of-mine…", "said: [redacted]…")]
    [Arguments("said: opaque-s…", "said: [redacted]…")]
    [Arguments("opaque… and opaque-secret…", "opaque… and [redacted]…")]
    public async Task The_beginning_of_a_learned_secret_is_hidden_where_a_text_was_cut(string text, string expected)
    {
        Redactor redactor = new();
        redactor.Learn("opaque-secret-of-mine");

        await Assert.That(redactor.Redact(text)).IsEqualTo(expected);
    }

    [Test]
    public async Task A_secret_of_a_few_letters_does_not_eat_words()
    {
        Redactor redactor = new();
        redactor.Learn("test");

        await Assert.That(redactor.Redact("a test")).IsEqualTo("a test");
    }

    [Test]
    public async Task Only_the_latest_secrets_are_kept()
    {
        Redactor redactor = new();
        for (int i = 0; i < 1000; i++)
        {
            redactor.Learn($"opaque-{i:D4}");
        }

        await Assert.That(redactor.Redact("opaque-0999 opaque-0000")).IsEqualTo("[redacted] opaque-0000");
    }

    [Test]
    public async Task Whatever_token_in_whatever_place_it_never_comes_out()
    {
        const string Letters = "ABCxyz019-._~+/=!$%*:@^|#?";
        string[] places =
        [
            "{0}", "token {0}.", "Authorization: Bearer {0}", "'{0}'", "[{0}, {0}]", "https://h/p?authz=Bearer%20{0}&a=b", "x{0}{0}y",
            "eyJ{0}", "bearer {0} Bearer {0}", "\"access_token\":\"{0}\"", "authorization{0}", "%3D{0}%26",
        ];
        Random random = new(4711);
        for (int round = 0; round < 500; round++)
        {
            string opaque = new([.. Enumerable.Range(0, random.Next(8, 60)).Select(_ => Letters[random.Next(Letters.Length)])]);
            string jwt = TestToken.Wlcg($"storage.read:/{random.Next()}");
            string payload = jwt.Split('.')[1];
            Redactor redactor = new();
            redactor.Learn(opaque);
            redactor.Learn(jwt);
            foreach (string place in places)
            {
                string output = redactor.Redact(place.Replace("{0}", opaque, StringComparison.Ordinal))
                    + redactor.Redact(place.Replace("{0}", jwt, StringComparison.Ordinal));

                await Assert.That(output.Contains(opaque, StringComparison.Ordinal) || output.Contains(payload, StringComparison.Ordinal)
                    || output.Contains(TestToken.Signature, StringComparison.Ordinal)).IsFalse().Because($"{place} with {opaque}");
            }
        }
    }

    [Test]
    [Timeout(20_000)]
    public async Task Hostile_text_takes_no_more_than_proportional_time(CancellationToken cancellationToken)
    {
        Redactor redactor = new();
        foreach (string piece in (string[])["eyJ", "eyJ.", "bearer ", "authz=\"", "access_token\\", "Authorization:", "authz%3D%26", "bearer"])
        {
            string text = string.Concat(Enumerable.Repeat(piece, 4_000_000 / piece.Length));

            await Assert.That(redactor.Redact(text).Length).IsGreaterThan(0);
        }

        await Assert.That(cancellationToken.IsCancellationRequested).IsFalse();
    }

    [Test]
    public async Task Many_threads_may_learn_and_redact_at_once()
    {
        Redactor redactor = new();

        Parallel.For(0, 2000, i =>
        {
            redactor.Learn($"opaque-{i % 200:D4}");
            redactor.Redact("opaque-0007");
        });

        await Assert.That(redactor.Redact("opaque-0007 opaque-0199")).IsEqualTo("[redacted] [redacted]");
    }
}
