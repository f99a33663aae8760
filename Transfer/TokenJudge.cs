namespace Pelican.Transfer;

/// <summary>What is wrong with a token, the more hopeless the later: of several tokens the one with the least is used.</summary>
internal enum TokenFault
{
    /// <summary>Not a JWT: only the server can tell.</summary>
    Opaque,

    /// <summary>Neither WLCG nor SciTokens 2.</summary>
    Profile,

    /// <summary>No scope covers what is to be done.</summary>
    Scope,

    /// <summary>The object lies outside the namespace that the director named.</summary>
    Namespace,

    /// <summary>Its time has not come.</summary>
    NotYetValid,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>Issued by somebody whose tokens the namespace does not accept; last, because sending it shows it to strangers.</summary>
    Issuer,
}

/// <summary>One thing that is wrong with a token.</summary>
/// <param name="Fault">What kind of thing.</param>
/// <param name="Why">A predicate, to follow "the token from …".</param>
internal sealed record TokenFlaw(TokenFault Fault, string Why);

/// <summary>
/// Judges tokens by what they say of themselves, with no allowance for clocks. Paths are compared by whole
/// components: a scope for <c>/foo</c> says nothing about <c>/foobar</c>, though some servers think so (xrootd.md 10).
/// </summary>
internal static class TokenJudge
{
    private static readonly string[] AnyAudience = ["https://wlcg.cern.ch/jwt/v1/any", "ANY"];

    /// <summary>Everything that speaks against a token, most certain first; empty for a token that suits.</summary>
    public static IReadOnlyList<TokenFlaw> Judge(TokenClaims? claims, TokenRequest request, DateTimeOffset now)
    {
        if (claims is null)
        {
            return [new TokenFlaw(TokenFault.Opaque, "is not a JWT, so only the server can judge it")];
        }

        List<TokenFlaw> flaws = [];
        if (claims.Expires <= now)
        {
            flaws.Add(new TokenFlaw(TokenFault.Expired,
                $"expired at {TokenText.Time(claims.Expires.Value)}, {TokenText.Span(now - claims.Expires.Value)} ago"));
        }
        else if (claims.NotBefore > now)
        {
            flaws.Add(new TokenFlaw(TokenFault.NotYetValid,
                $"is not valid before {TokenText.Time(claims.NotBefore.Value)}, {TokenText.Span(claims.NotBefore.Value - now)} from now"));
        }

        IReadOnlyList<string> issuers = AcceptedIssuers(request.Answer);
        if (issuers.Count > 0 && !issuers.Contains(claims.Issuer))
        {
            // What a stranger's scopes mean is not worth saying.
            string issuer = claims.Issuer is { } named ? $"was issued by {TokenText.Clean(named)}" : "names no issuer";
            flaws.Add(new TokenFlaw(TokenFault.Issuer, $"{issuer}, and the namespace accepts {TokenText.Some(issuers)}"));
            return flaws;
        }

        AddScopeFlaws(flaws, claims, request);
        return flaws;
    }

    /// <summary>How far a token with these flaws is from being usable; 0 for one that suits.</summary>
    public static int Distance(IReadOnlyList<TokenFlaw> flaws) => flaws.Count == 0 ? 0 : 1 + (int)flaws.Max(flaw => flaw.Fault);

    /// <summary>Issuers whose tokens the namespace accepts; empty when the director does not say.</summary>
    public static IReadOnlyList<string> AcceptedIssuers(DirectorAnswer answer) =>
        answer.TokenGeneration is { Issuers.Count: > 0 } generation ? generation.Issuers : answer.Issuers;

    /// <summary>Whether the token is meant for this server, for any, or does not say.</summary>
    /// <param name="claims">The token.</param>
    /// <param name="server">Host, host and port, or URL.</param>
    public static bool IsFor(TokenClaims claims, string server) =>
        claims.Audiences.Count == 0 || claims.Audiences.Any(audience => AnyAudience.Contains(audience)
            || string.Equals(HostOf(audience), HostOf(server), StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the token lets new objects be made, but not existing ones be replaced (xrootd.md 10.1).</summary>
    public static bool OnlyCreates(TokenClaims claims, TokenRequest request) =>
        request.Purposes.Contains(TokenPurpose.Write) && claims.Profile != TokenProfile.SciTokens
        && !claims.Scopes.Any(scope => Covers(scope, ["storage.modify"], Relative(request)));

    /// <summary>The least scopes that the request takes, in the token's own terms, comma separated.</summary>
    public static string Needed(TokenRequest request, TokenProfile profile) =>
        string.Join(", ", request.Purposes
            .Select(purpose => $"{Names(purpose, profile)[0]}:{TokenText.Line(Relative(request))}").Distinct());

    private static void AddScopeFlaws(List<TokenFlaw> flaws, TokenClaims claims, TokenRequest request)
    {
        if (request.Answer.Namespace.Length > 0 && Below(request.Path.Decoded, request.Answer.Namespace) is null)
        {
            flaws.Add(new TokenFlaw(TokenFault.Namespace,
                $"is for the namespace {TokenText.Clean(request.Answer.Namespace)}, in which the object does not lie"));
            return;
        }

        string path = Relative(request);
        TokenPurpose[] missing = [.. request.Purposes.Where(
            purpose => !claims.Scopes.Any(scope => Covers(scope, Names(purpose, claims.Profile), path)))];
        if (missing.Length > 0)
        {
            string has = claims.Scopes.Count == 0 ? "names no scopes" : $"allows {TokenText.Some(claims.Scopes)}";
            string needed = Needed(request with { Purposes = missing }, claims.Profile);
            flaws.Add(new TokenFlaw(TokenFault.Scope, $"{has}, and this takes {needed}"));
        }

        if (claims.Profile == TokenProfile.Unknown)
        {
            flaws.Add(new TokenFlaw(TokenFault.Profile, "follows neither the WLCG nor the SciTokens 2 profile"));
        }
    }

    /// <summary>Authorizations that cover a purpose, the least powerful first.</summary>
    private static string[] Names(TokenPurpose purpose, TokenProfile profile)
    {
        (string[] wlcg, string sciTokens) = purpose switch
        {
            TokenPurpose.Write => (["storage.create", "storage.modify"], "write"),
            TokenPurpose.Delete => (["storage.modify"], "write"),
            _ => ((string[])["storage.read"], "read"),
        };
        return profile switch
        {
            TokenProfile.Wlcg => wlcg,
            TokenProfile.SciTokens => [sciTokens],
            _ => [.. wlcg, sciTokens],
        };
    }

    private static bool Covers(string scope, string[] names, string path)
    {
        int colon = scope.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? scope : scope[..colon];
        string prefix = colon < 0 ? "/" : scope[(colon + 1)..];
        // Paths in scopes ought to be escaped (WLCG profile 1.0); many issuers do not.
        return names.Contains(name)
            && (Below(path, prefix) is not null || Below(path, Uri.UnescapeDataString(prefix)) is not null);
    }

    /// <summary>The object's path as scopes see it: below the base path if it is there, else below the namespace.</summary>
    private static string Relative(TokenRequest request)
    {
        string path = request.Path.Decoded;
        string? basePath = request.Answer.TokenGeneration?.BasePath;
        return (string.IsNullOrEmpty(basePath) ? null : Below(path, basePath))
            ?? Below(path, request.Answer.Namespace)
            ?? path;
    }

    /// <summary>What remains of a path below a prefix, with its leading slash; null when it does not lie there.</summary>
    private static string? Below(string path, string prefix)
    {
        string start = prefix.TrimEnd('/');
        if (start.Length == 0 || path.Length == 1)
        {
            return start.Length == 0 ? path : null;
        }

        return !path.StartsWith(start, StringComparison.Ordinal) ? null
            : path.Length == start.Length ? "/"
            : path[start.Length] == '/' ? path[start.Length..]
            : null;
    }

    private static string HostOf(string place)
    {
        string authority = place.Contains("://", StringComparison.Ordinal) ? place : "any://" + place;
        return Uri.TryCreate(authority, UriKind.Absolute, out Uri? url) ? url.Host : place;
    }
}
