using System.Buffers.Text;
using System.Text;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Tokens made by hand, and the question that they answer. Nothing verifies signatures, so any will do.</summary>
internal static class TestToken
{
    public const string Issuer = "https://issuer.example";

    public const string Signature = "c2lnbmF0dXJlLXRoYXQtbXVzdC1uZXZlci1zaG93";

    public static DateTimeOffset Now { get; } = new(2026, 11, 5, 12, 0, 0, TimeSpan.Zero);

    public static string Jwt(string payload) =>
        $"{Encode("{\"alg\":\"ES256\"}")}.{Encode(payload)}.{Signature}";

    /// <summary>A WLCG token of <see cref="Issuer"/>, valid for an hour around <see cref="Now"/>.</summary>
    public static string Wlcg(
        string scope = "storage.read:/", string issuer = Issuer, int expiresIn = 1800, int validIn = -1800, string more = "") =>
        Jwt($$"""
            {"wlcg.ver":"1.0","iss":"{{issuer}}","scope":"{{scope}}","exp":{{Seconds(expiresIn)}},"nbf":{{Seconds(validIn)}}{{more}}}
            """);

    public static TokenRequest Request(string path = "/ns/dir/file", params TokenPurpose[] purposes) => new(
        TokenFile: null, TokenName: null, ObjectPath.FromPlain(path), Answer(),
        purposes.Length == 0 ? [TokenPurpose.Read] : purposes);

    public static DirectorAnswer Answer(string? basePath = null, string @namespace = "/ns", params string[] issuers) => new()
    {
        Servers = [new Uri("https://origin.example:8443/ns/dir/file")],
        Namespace = @namespace,
        RequireToken = true,
        TokenGeneration = new TokenGeneration(issuers.Length == 0 ? [Issuer] : issuers, basePath, "OAuth2", 0),
    };

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    private static long Seconds(int fromNow) => Now.ToUnixTimeSeconds() + fromNow;
}
