namespace Pelican.Transfer;

/// <summary>One place where a token was looked for.</summary>
/// <param name="Name">Path or variable name, safe to show.</param>
/// <param name="Found">What was there: "not set", "no such file", "suits", or what is wrong with the token.</param>
internal sealed record TokenPlace(string Name, string Found);

/// <summary>
/// The outcome of one search for a token, which can explain a refusal. XRootD answers every fault with the same 403
/// (xrootd.md 10), so the explanation is our own reading of the token at that moment.
/// </summary>
/// <param name="request">What was looked for.</param>
/// <param name="token">The chosen token; null for none.</param>
/// <param name="places">Where was looked, in order.</param>
/// <param name="redactor">Cleans what a server says.</param>
/// <param name="clock">The time of a refusal, which may be long after the search.</param>
internal sealed class TokenSearch(
    TokenRequest request, BearerToken? token, IReadOnlyList<TokenPlace> places, Redactor redactor, TimeProvider clock)
{
    private static readonly string[] Hollow =
        ["Forbidden", "403 Forbidden", "Unauthorized", "401 Unauthorized", "Permission denied", "Access denied"];

    /// <summary>The chosen token; null when there is none.</summary>
    public BearerToken? Token { get; } = token;

    /// <summary>Every place looked at, in order; the search ends at a token that suits.</summary>
    public IReadOnlyList<TokenPlace> Places { get; } = places;

    /// <summary>Whether a director named this server for the object: the token that goes to one of them may go to all.</summary>
    public bool MayGoTo(Uri server) =>
        request.Answer.Servers.Append(request.Answer.CollectionsUrl).Any(named => named?.Authority.Equals(server.Authority, StringComparison.OrdinalIgnoreCase) == true);

    /// <summary>The same search, with what the director says when it has seen the token.</summary>
    public TokenSearch With(DirectorAnswer answer) => new(
        request with { Answer = request.Answer with { Servers = answer.Servers, CollectionsUrl = answer.CollectionsUrl } }, Token, Places, redactor, clock);

    /// <summary>Explains a 401 or 403.</summary>
    /// <param name="path">The object that was refused; it may differ from the one the token was looked for.</param>
    /// <param name="server">Host and port of the server that refused.</param>
    /// <param name="serverText">The server's own words on one line; null for none.</param>
    /// <returns>
    /// <see cref="Errors.TokenNotFound"/> when no token was sent, <see cref="Errors.TokenExpired"/> (retryable if a renewed token
    /// would do), else <see cref="Errors.Authorization"/>.
    /// </returns>
    public PelicanException Refused(ObjectPath path, string server, string? serverText)
    {
        string what = $"{server} refused {TokenText.Line(path.Decoded)}: ";
        string says = ServerSays(serverText);
        if (Token is null)
        {
            return new PelicanException(Errors.TokenNotFound, $"{what}no token was found ({LookedAt()}){says}", HowToGetOne());
        }

        TokenRequest asked = request with { Path = path };
        DateTimeOffset now = clock.GetUtcNow();
        IReadOnlyList<TokenFlaw> flaws = TokenJudge.Judge(Token.Claims, asked, now);
        if (flaws.Count == 0)
        {
            (string right, string next) = LooksRight(Token.Claims!, asked, server);
            return new PelicanException(Errors.Authorization, $"{what}{Token} {right}{says}", next);
        }

        string why = string.Join("; it also ", flaws.Select(flaw => flaw.Why));
        return new PelicanException(
            flaws[0].Fault == TokenFault.Expired ? Errors.TokenExpired : Errors.Authorization,
            $"{what}{Token} {why}{says}", NextStep(flaws[0].Fault, asked, now))
        {
            // Time cures what is too early, and whoever renews tokens what is too old; nothing cures a second fault.
            Retryable = flaws is [{ Fault: TokenFault.NotYetValid }] || (request.IsRenewed && flaws is [{ Fault: TokenFault.Expired }]),
        };
    }

    /// <summary>Says that an operation takes a token and none was found; <see cref="Errors.TokenNotFound"/>.</summary>
    public PelicanException NotFound(ObjectPath path) =>
        new(Errors.TokenNotFound, $"{TokenText.Line(path.Decoded)} takes a token, and none was found ({LookedAt()})", HowToGetOne());

    /// <inheritdoc/>
    public override string ToString() => Token?.ToString() ?? "no token";

    /// <summary>The places by what was there: "not set: A, B; no such file: C".</summary>
    private string LookedAt() => string.Join("; ",
        Places.GroupBy(place => place.Found).Select(group => $"{group.Key}: {string.Join(", ", group.Select(place => place.Name))}"));

    private string HowToGetOne()
    {
        IReadOnlyList<string> issuers = TokenJudge.AcceptedIssuers(request.Answer);
        string from = issuers.Count > 0 ? $" of {TokenText.Some(issuers)}" : "";
        return $"Get a token{from} with your site's tool (such as htgettoken) and name its file with -t, or put it where it is looked for: "
            + "BEARER_TOKEN, or the file that BEARER_TOKEN_FILE names. This program does not acquire tokens itself.";
    }

    private static (string Right, string Next) LooksRight(TokenClaims claims, TokenRequest asked, string server)
    {
        if (claims.ScopesAreList)
        {
            return ("has its scopes as a list, which servers do not read: they want one text with blanks between them",
                "Tell whoever issues the token: 'scope' must be a string (RFC 8693, 4.2).");
        }

        if (!TokenJudge.IsFor(claims, server))
        {
            return ($"is meant for {TokenText.Some(claims.Audiences)}, which may not include this server",
                "Get a token with this server's audience, or with the one for any server, https://wlcg.cern.ch/jwt/v1/any.");
        }

        if (TokenJudge.OnlyCreates(claims, asked))
        {
            string modify = TokenJudge.Needed(asked, claims.Profile)
                .Replace("storage.create", "storage.modify", StringComparison.Ordinal);
            return ("lets new objects be made but not existing ones be replaced, and this one may exist",
                $"Choose another name, or get a token with the scope {modify}.");
        }

        return ("looks right (time, issuer and scopes fit), so its signature or the server's own permissions must be at fault",
            $"Ask the people who run {server} or the namespace, and tell them the issuer"
            + $"{(claims.Issuer is { } issuer ? $", {TokenText.Clean(issuer)}" : "")}.");
    }

    private string NextStep(TokenFault fault, TokenRequest asked, DateTimeOffset now) => fault switch
    {
        TokenFault.Expired => "Renew it with your site's tool (such as htgettoken); the next try picks a renewed file up.",
        TokenFault.NotYetValid => $"Wait, or have this machine's clock checked: it says {TokenText.Time(now)}.",
        TokenFault.Issuer => HowToGetOne(),
        TokenFault.Scope or TokenFault.Profile =>
            $"Get a token with the scope {TokenJudge.Needed(asked, Token?.Claims?.Profile ?? TokenProfile.Unknown)}.",
        TokenFault.Namespace => "Check the path; if it is right, tell the people who run the federation.",
        _ => "Check that it is the token meant for this server.",
    };

    /// <summary>The server's words, unless they only repeat the status, as XRootD's do.</summary>
    private string ServerSays(string? text)
    {
        string words = text?.Trim().TrimEnd('.') ?? "";
        bool hollow = words.Length == 0
            || Hollow.Contains(words, StringComparer.OrdinalIgnoreCase)
            || (words.StartsWith("Unable to ", StringComparison.Ordinal) && words.EndsWith("permission denied", StringComparison.Ordinal));
        return hollow ? "" : $"; the server says: {TokenText.Line(redactor.Redact(words))}";
    }
}
