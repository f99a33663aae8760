using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Pelican.Federation;

/// <summary>Which claims make the kind of token recognisable (tokens.md 4.2).</summary>
public enum TokenProfile
{
    Wlcg,
    SciTokens,

    /// <summary>Neither.</summary>
    None,
}

/// <summary>Signs tokens with ES256 and publishes its key. What a token says is up to the test.</summary>
public sealed class TokenIssuer(X509Certificate2? certificate, TimeProvider clock)
    : FederationServer(certificate, Dialect.Pelican)
{
    private const string KeyId = "test-1";
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Audience that every server accepts.</summary>
    public const string AnyAudience = "https://wlcg.cern.ch/jwt/v1/any";

    /// <summary>Makes a token.</summary>
    /// <param name="scope">Scopes separated by blanks; paths are relative to the namespace's base path.</param>
    /// <param name="expiresIn">From now; negative for an expired token; null for one hour.</param>
    /// <param name="audience"><c>aud</c>; null for <see cref="AnyAudience"/>.</param>
    /// <param name="issuer"><c>iss</c>; null for this issuer.</param>
    /// <param name="profile">WLCG or SciTokens.</param>
    /// <param name="notBefore"><c>nbf</c>, from now; null for the start of the token's life.</param>
    /// <param name="badSignature">Sign with a key that nobody knows.</param>
    public string CreateToken(
        string scope, TimeSpan? expiresIn = null, string? audience = null, string? issuer = null,
        TokenProfile profile = TokenProfile.Wlcg, TimeSpan? notBefore = null, bool badSignature = false)
    {
        long now = clock.GetUtcNow().ToUnixTimeSeconds();
        long expires = now + (long)(expiresIn ?? TimeSpan.FromHours(1)).TotalSeconds;
        long issued = Math.Min(now, expires - 60);
        JsonObject claims = new()
        {
            ["iss"] = issuer ?? Url,
            ["sub"] = "tester",
            ["aud"] = audience ?? AnyAudience,
            ["iat"] = issued,
            ["nbf"] = notBefore is { } later ? now + (long)later.TotalSeconds : issued,
            ["exp"] = expires,
            ["jti"] = Guid.NewGuid().ToString(),
            ["scope"] = scope,
        };
        if (profile != TokenProfile.None)
        {
            claims[profile == TokenProfile.Wlcg ? "wlcg.ver" : "ver"] = profile == TokenProfile.Wlcg ? "1.0" : "scitoken:2.0";
        }

        string signed = Encode(new JsonObject { ["alg"] = "ES256", ["kid"] = KeyId, ["typ"] = "JWT" }) + "." + Encode(claims);
        using ECDsa? stranger = badSignature ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : null;
        byte[] signature = (stranger ?? _key).SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return signed + "." + Base64Url.EncodeToString(signature);
    }

    /// <summary>Claims of a token whose signature is this issuer's; null for anything else.</summary>
    internal JsonNode? Verify(string token)
    {
        string[] parts = token.Split('.');
        if (parts.Length != 3 || !parts.All(part => Base64Url.IsValid(part)))
        {
            return null;
        }

        byte[] signed = Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]);
        return _key.VerifyData(signed, Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256)
            ? JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))
            : null;
    }

    protected override Task<Reply> HandleAsync(Request request, CancellationToken cancellationToken) =>
        Task.FromResult(request.Path switch
        {
            "/.well-known/openid-configuration" => Reply.Json(200, new JsonObject
            {
                ["issuer"] = Url,
                ["jwks_uri"] = Url + "/.well-known/issuer.jwks",
            }.ToJsonString()),
            "/.well-known/issuer.jwks" => Reply.Json(200, Keys().ToJsonString()),
            _ => new Reply(404, "404 page not found", "text/plain"),
        });

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    private JsonObject Keys()
    {
        ECPoint point = _key.ExportParameters(false).Q;
        return new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["alg"] = "ES256",
                ["use"] = "sig",
                ["kid"] = KeyId,
                ["x"] = Base64Url.EncodeToString(point.X),
                ["y"] = Base64Url.EncodeToString(point.Y),
            }),
        };
    }
}
