using System.Buffers.Text;
using System.Text.Json;

namespace Pelican.Transfer;

/// <summary>Family of a token, which decides the names of its scopes (tokens.md 4.2, 12).</summary>
internal enum TokenProfile
{
    /// <summary>Neither of the profiles that servers of a federation are made for.</summary>
    Unknown,

    /// <summary>WLCG Common JWT Profiles: <c>storage.read:/path</c>.</summary>
    Wlcg,

    /// <summary>SciTokens 2: <c>read:/path</c>.</summary>
    SciTokens,
}

/// <summary>
/// What a JWT says of itself, read without verifying the signature: that is the server's affair, and the client has no
/// use for a forged answer. Claims of the wrong type count as absent; texts are as the issuer wrote them.
/// </summary>
internal sealed record TokenClaims
{
    /// <summary>The profile, from <c>wlcg.ver</c> and <c>ver</c>.</summary>
    public TokenProfile Profile { get; init; }

    /// <summary><c>iss</c>; null when absent.</summary>
    public string? Issuer { get; init; }

    /// <summary><c>aud</c>, a string or several; empty when absent.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary><c>scope</c>, split at white space; empty when absent.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Whether <c>scope</c> is a list, and not the text that it has to be.</summary>
    public bool ScopesAreList { get; init; }

    /// <summary><c>exp</c>, first moment at which the token is no longer valid; null when absent.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary><c>nbf</c>, first moment at which the token is valid; null when absent.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Reads the payload of a signed JWT (RFC 7519); null when the token is anything else.</summary>
    public static TokenClaims? Parse(string token)
    {
        string[] parts = token.Split('.', 4);
        if (parts.Length != 3 || !IsObject(parts[0]))
        {
            return null;
        }

        using JsonDocument? payload = Decode(parts[1]);
        return payload?.RootElement.ValueKind == JsonValueKind.Object ? Read(payload.RootElement) : null;
    }

    private static bool IsObject(string part)
    {
        using JsonDocument? header = Decode(part);
        return header?.RootElement.ValueKind == JsonValueKind.Object;
    }

    private static JsonDocument? Decode(string part)
    {
        if (!Base64Url.IsValid(part))
        {
            return null;
        }

        try
        {
            return JsonDocument.Parse(Base64Url.DecodeFromChars(part));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static TokenClaims? Read(JsonElement payload)
    {
        try
        {
            return new TokenClaims
            {
                Profile = ReadProfile(payload),
                Issuer = Strings(payload, "iss").FirstOrDefault(),
                Audiences = Strings(payload, "aud"),
                Scopes = [.. Strings(payload, "scope").SelectMany(SplitAtBlanks)],
                ScopesAreList = payload.TryGetProperty("scope", out JsonElement scope) && scope.ValueKind == JsonValueKind.Array,
                Expires = Time(payload, "exp"),
                NotBefore = Time(payload, "nbf"),
            };
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, escaped: good JSON, but no string.
            return null;
        }
    }

    private static TokenProfile ReadProfile(JsonElement payload)
    {
        if (payload.TryGetProperty("wlcg.ver", out JsonElement wlcg) && wlcg.ValueKind != JsonValueKind.Null)
        {
            return TokenProfile.Wlcg;
        }

        string? version = Strings(payload, "ver").FirstOrDefault();
        return version is not null && (version.StartsWith("scitoken:2.0", StringComparison.OrdinalIgnoreCase)
            || version.StartsWith("scitokens:2.0", StringComparison.OrdinalIgnoreCase))
            ? TokenProfile.SciTokens
            : TokenProfile.Unknown;
    }

    private static string[] SplitAtBlanks(string scopes) =>
        scopes.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static List<string> Strings(JsonElement payload, string claim)
    {
        if (!payload.TryGetProperty(claim, out JsonElement value))
        {
            return [];
        }

        IEnumerable<JsonElement> items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];
        return [.. items.Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)];
    }

    /// <summary>A NumericDate may have a fraction and may be absurd: it is cut to the years that a date can hold.</summary>
    private static DateTimeOffset? Time(JsonElement payload, string claim) =>
        payload.TryGetProperty(claim, out JsonElement value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out double seconds)
            ? DateTimeOffset.FromUnixTimeSeconds((long)Math.Clamp(
                seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds()))
            : null;
}
