using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Pelican.Federation;

/// <summary>What a request does to a path, for the check of its token.</summary>
internal enum Access
{
    Read,

    /// <summary>HEAD or PROPFIND: also allowed to who may write, but for old servers (xrootd.md 10).</summary>
    Stat,

    Create,

    Modify,

    Delete,
}

/// <summary>A server's judgement of tokens.</summary>
internal sealed class TokenCheck(TokenIssuer issuer, Dialect dialect, TimeProvider clock, bool isCache)
{
    /// <summary>How far Pelican's servers let a clock be wrong (pelican-servers.md 10.2, 18).</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(60);

    /// <summary>How long XRootD 5.x goes on accepting a token that it accepted once (xrootd.md 10).</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _accepted = new();

    /// <summary>Whether a request may go on. A bad token does not spoil what is public; the server's URL is an audience too.</summary>
    public bool Allows(Request request, FederationNamespace ns, string path, Access access, string audience)
    {
        bool isRead = access is Access.Read or Access.Stat;
        if (isRead ? ns.PublicReads : ns.PublicWrites)
        {
            return true;
        }

        return TokenOf(request) is { } token && Claims(token, ns, audience) is { } claims
            && Scopes(claims).Any(scope => Grants(scope, access, Relative(path, ns.BasePath ?? ns.Prefix)));
    }

    /// <summary>Whether the token is genuine, whatever it allows.</summary>
    public bool IsValid(Request request, FederationNamespace ns, string audience) =>
        TokenOf(request) is { } token && Claims(token, ns, audience) is not null;

    /// <summary>The scope that Pelican's servers want for an access (pelican-servers.md 10).</summary>
    public static string ScopeOf(Access access) => access switch
    {
        Access.Read or Access.Stat => "storage.read",
        Access.Create => "storage.create",
        _ => "storage.modify",
    };

    /// <summary>
    /// The token as the server finds it: XRootD takes the query first, and <c>Bearer</c> by exact case (xrootd.md 10), as
    /// Pelican's caches do (pelican-servers.md 10.4).
    /// </summary>
    public string? TokenOf(Request request)
    {
        string? header = request.Headers["Authorization"];
        StringComparison comparison = dialect.IsXrootd || isCache ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        string? fromHeader = header?.StartsWith("Bearer ", comparison) == true ? header["Bearer ".Length..] : null;
        string? fromQuery = request.Parameter("authz")?.Replace("Bearer ", "", StringComparison.Ordinal);
        return dialect.IsXrootd
            ? fromQuery ?? fromHeader
            : fromHeader ?? fromQuery ?? (isCache ? null : request.Parameter("access_token"));
    }

    private static string[] Scopes(JsonNode claims) => ((string?)claims["scope"] ?? "").Split(' ');

    private static string Relative(string path, string basePath) =>
        path.StartsWith(basePath, StringComparison.Ordinal) ? "/" + path[basePath.Length..].TrimStart('/') : path;

    private JsonNode? Claims(string token, FederationNamespace ns, string audience)
    {
        if (issuer.Verify(token) is not { } claims)
        {
            return null;
        }

        DateTimeOffset now = clock.GetUtcNow();
        bool kept = dialect.KeepsExpiredTokens && _accepted.TryGetValue(token, out DateTimeOffset first) && now < first + Kept;
        DateTimeOffset notBefore = DateTimeOffset.FromUnixTimeSeconds((long)claims["nbf"]!);
        DateTimeOffset expires = DateTimeOffset.FromUnixTimeSeconds((long)claims["exp"]!);
        string[] audiences = claims["aud"] is JsonArray several ? [.. several.Select(one => (string)one!)] : [(string?)claims["aud"] ?? ""];
        TimeSpan tolerance = dialect.IsXrootd ? TimeSpan.Zero : Tolerance;
        bool valid = (kept || now < expires + tolerance) && now >= notBefore - tolerance
            && (ns.Issuers ?? [issuer.Url]).Contains((string?)claims["iss"])
            && ((isCache && !dialect.IsXrootd) || audiences.Any(one => one is TokenIssuer.AnyAudience or "ANY" || one == audience));
        if (valid)
        {
            _accepted.TryAdd(token, now);
        }

        return valid ? claims : null;
    }

    private bool Grants(string scope, Access access, string path)
    {
        string[] parts = scope.Split(':', 2);
        string resource = parts.Length == 2 ? parts[1] : "/";
        bool covers = dialect.OldTokens ? path.StartsWith(resource, StringComparison.Ordinal) : FederationNamespace.IsBelow(path, resource);
        if (!dialect.IsXrootd)
        {
            // One scope at a time: neither does writing include looking, nor modifying creating; create may replace.
            return covers && parts[0] == ScopeOf(access);
        }

        return covers && parts[0] switch
        {
            "storage.read" or "read" => access is Access.Read or Access.Stat,
            "storage.create" => access == Access.Create || (access == Access.Stat && !dialect.OldTokens),
            "storage.modify" => access is Access.Create or Access.Modify
                || (access is Access.Stat or Access.Delete && !dialect.OldTokens),
            "write" => access is Access.Create or Access.Modify or Access.Delete or Access.Stat,
            _ => false,
        };
    }
}
