using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Pelican.Transfer;

/// <summary>
/// Looks for a token where WLCG Bearer Token Discovery, older tools and HTCondor put one (tokens.md 3). Each search
/// starts from the top, so that a file renewed since the last one is picked up. One instance serves one caller's
/// environment, from any thread, and warns once of each thing.
/// </summary>
/// <param name="environment">The caller's environment.</param>
/// <param name="redactor">Learns every token that is read.</param>
/// <param name="clock">Against which tokens are judged.</param>
/// <param name="logger">Receives a warning for each token that is used although it does not suit.</param>
internal sealed partial class TokenFinder(TokenEnvironment environment, Redactor redactor, TimeProvider clock, ILogger logger)
{
    private readonly ConcurrentDictionary<string, bool> _warned = new(StringComparer.Ordinal);

    /// <summary>
    /// Finds a token: the file that the user named, if any, and nothing else; otherwise the first token that suits, and failing
    /// that the one that is wrong in the least hopeless way (<see cref="TokenFault"/>), with a warning. None is a result too.
    /// </summary>
    /// <exception cref="PelicanException"><see cref="Errors.TokenNotFound"/>: the file that the user named holds no token.</exception>
    public TokenSearch Find(TokenRequest request)
    {
        DateTimeOffset now = clock.GetUtcNow();
        List<TokenPlace> places = [];
        BearerToken? best = null;
        IReadOnlyList<TokenFlaw> flaws = [];
        foreach (Candidate candidate in request.TokenFile is { } named ? [FromUser(named)] : Everywhere(request.TokenName))
        {
            if (candidate.Token is null)
            {
                places.Add(new TokenPlace(candidate.Place, candidate.Found));
                continue;
            }

            redactor.Learn(candidate.Token);
            BearerToken token = new(candidate.Token, candidate.Place, TokenClaims.Parse(candidate.Token));
            IReadOnlyList<TokenFlaw> against = TokenJudge.Judge(token.Claims, request, now);
            places.Add(new TokenPlace(candidate.Place, Summary(against)));
            if (best is null || TokenJudge.Distance(against) < TokenJudge.Distance(flaws))
            {
                (best, flaws) = (token, against);
            }

            if (against.Count == 0)
            {
                break;
            }
        }

        if (best is not null)
        {
            Say(best, flaws, TokenText.Line(request.Path.Decoded));
        }

        return new TokenSearch(request, best, places, redactor, clock);
    }

    /// <summary>Every token that is anywhere but in a file that the user named, in the order of the search, with its file; null for a variable's.</summary>
    /// <param name="tokenName">Name of the credential in the URL; null for none.</param>
    public IEnumerable<(BearerToken Token, string? File)> All(string? tokenName)
    {
        foreach (Candidate candidate in Everywhere(tokenName))
        {
            if (candidate.Token is { } token)
            {
                redactor.Learn(token);
                yield return (new BearerToken(token, candidate.Place, TokenClaims.Parse(token)), candidate.File);
            }
        }
    }

    private static string Summary(IReadOnlyList<TokenFlaw> flaws) =>
        flaws.Count == 0 ? "suits" : string.Join("; it also ", flaws.Select(flaw => flaw.Why));

    private void Say(BearerToken token, IReadOnlyList<TokenFlaw> flaws, string path)
    {
        if (flaws.All(flaw => flaw.Fault == TokenFault.Opaque))
        {
            Log.Using(logger, token.Place, path);
        }
        else if (_warned.TryAdd($"{token.Place} {flaws[0].Fault}", true))
        {
            Log.UsingUnsuitable(logger, token.Place, path, Summary(flaws));
        }
    }

    private Candidate FromUser(string file)
    {
        Candidate candidate = FromFile(file);
        return candidate.Token is not null
            ? candidate
            : throw new PelicanException(Errors.TokenNotFound, $"the token file {candidate.Place} holds no token: {candidate.Found}",
                "Check the name: it is that of a file with a token, raw or as JSON with an access_token, not the token itself.");
    }

    private IEnumerable<Candidate> Everywhere(string? tokenName)
    {
        yield return FromVariable();
        yield return FromNamedFile("BEARER_TOKEN_FILE", environment.BearerTokenFile);

        string own = FormattableString.Invariant($"bt_u{environment.UserId}");
        yield return string.IsNullOrEmpty(environment.RuntimeDirectory)
            ? NotSet("XDG_RUNTIME_DIR")
            : FromFile(Path.Combine(environment.RuntimeDirectory, own));
        yield return FromSharedDirectory(Path.Combine(environment.TemporaryDirectory, own));

        yield return FromNamedFile("TOKEN", environment.LegacyTokenFile);
        foreach (Candidate candidate in FromCondor(tokenName))
        {
            yield return candidate;
        }
    }

    private Candidate FromVariable()
    {
        const string Name = "BEARER_TOKEN";
        return string.IsNullOrEmpty(environment.BearerToken) ? NotSet(Name)
            : TokenFile.TryTake(environment.BearerToken, out string? token, out string found) ? new Candidate(Name, token, "")
            : new Candidate(Name, null, Warn(Name, found));
    }

    /// <summary>
    /// A file that a variable names. People put the token itself there by mistake, or <c>TOKEN</c> holds that of another
    /// program: unless it is an absolute path, it is not shown.
    /// </summary>
    private Candidate FromNamedFile(string variable, string? file)
    {
        if (string.IsNullOrEmpty(file))
        {
            return NotSet(variable);
        }

        Candidate candidate = FromFile(file);
        string place = file[0] == '/' ? $"{variable} ({candidate.Place})" : variable;
        return candidate.Token is not null
            ? candidate with { Place = place }
            : new Candidate(place, null, Warn(place, file[0] == '/' ? candidate.Found : $"names no token file ({candidate.Found})"));
    }

    private Candidate FromSharedDirectory(string file)
    {
        Candidate candidate = FromFile(file, environment.UserId);
        return candidate.Token is not null || candidate.Found == TokenFile.Missing
            ? candidate
            : candidate with { Found = Warn(candidate.Place, candidate.Found) };
    }

    private IEnumerable<Candidate> FromCondor(string? tokenName)
    {
        const string Variable = "_CONDOR_CREDS";
        if (string.IsNullOrEmpty(environment.CondorCredentials))
        {
            yield return NotSet(Variable);
            yield break;
        }

        List<string> files = CondorFiles(environment.CondorCredentials, tokenName, out bool named);
        if (tokenName is not null && !named)
        {
            string wanted = Path.Combine(environment.CondorCredentials, tokenName + ".use");
            yield return new Candidate(Shown(wanted), null, Warn(Shown(wanted), TokenFile.Missing));
        }
        else if (files.Count == 0)
        {
            yield return new Candidate(Shown(Path.Combine(environment.CondorCredentials, "*.use")), null, TokenFile.Missing);
        }

        foreach (string file in files)
        {
            yield return FromFile(file);
        }
    }

    /// <summary>
    /// The <c>.use</c> files in the order to try them: the named one, <c>scitokens.use</c>, the rest by name. A scheme cannot
    /// hold an underscore, so HTCondor writes a dot for it, and it arrives in lower case (tokens.md 3.2).
    /// </summary>
    private static List<string> CondorFiles(string directory, string? tokenName, out bool named)
    {
        List<string> files = [];
        try
        {
            files.AddRange(Directory.EnumerateFiles(directory, "*.use").Where(file => Path.GetFileName(file)[0] != '.'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No directory, or not ours: as good as empty.
        }

        files.Sort(StringComparer.Ordinal);
        MoveToFront(files, "scitokens");
        named = tokenName is not null
            && (MoveToFront(files, tokenName.Replace('.', '_')) || MoveToFront(files, tokenName));
        return files;
    }

    private static bool MoveToFront(List<string> files, string name)
    {
        int index = files.FindIndex(file => Path.GetFileNameWithoutExtension(file).Equals(name, StringComparison.OrdinalIgnoreCase));
        if (index < 0)
        {
            return false;
        }

        string file = files[index];
        files.RemoveAt(index);
        files.Insert(0, file);
        return true;
    }

    private Candidate FromFile(string file, uint? owner = null) =>
        TokenFile.TryRead(file, owner, out string? token, out string found)
            ? new Candidate(Shown(file), token, "") { File = file }
            : new Candidate(Shown(file), null, found);

    private static Candidate NotSet(string variable) => new(variable, null, "not set");

    private string Shown(string file) => redactor.Redact(TokenText.Line(file));

    private string Warn(string place, string found)
    {
        if (_warned.TryAdd($"{place} {found}", true))
        {
            Log.NoToken(logger, place, found);
        }

        return found;
    }

    /// <summary>A place that was looked at: a token, or what was found instead. Not a record, which would print the token.</summary>
    private readonly struct Candidate(string place, string? token, string found)
    {
        public string Place { get; init; } = place;

        public string? Token { get; } = token;

        public string? File { get; init; }

        public string Found { get; init; } = found;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "Using the token from {Place} for {Path}.")]
        public static partial void Using(ILogger logger, string place, string path);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Using the token from {Place} for {Path} although it {Why}.")]
        public static partial void UsingUnsuitable(ILogger logger, string place, string path, string why);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Found no token in {Place} ({Found}).")]
        public static partial void NoToken(ILogger logger, string place, string found);
    }
}
