using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace Pelican.Transfer;

/// <summary>
/// Takes secrets out of text that is about to leave the process: log lines, and what servers say. It hides what has
/// the shape of a JWT, the values of the headers and parameters that carry secrets, and every secret it was taught.
/// Thread-safe. Since servers write some of the text, the time taken is proportional to its length, whatever it says.
/// </summary>
internal sealed class Redactor
{
    private const string Mark = "[redacted]";

    /// <summary>Base64url of <c>{"</c>, with which JWTs begin.</summary>
    private const string Jwt = "eyJ";
    private const string Bearer = "bearer";
    private const string Authorization = "authorization";

    /// <summary>Shorter secrets protect nothing, and would be cut out of ordinary words.</summary>
    private const int MinLearned = 8;

    /// <summary>What is shorter, and all of small letters, is a word.</summary>
    private const int LongestWord = 14;

    /// <summary>Secrets kept, the latest ones; JWTs are known by their shape and not kept.</summary>
    private const int MaxLearned = 256;

    private const string Scheme = "://";

    private static readonly string[] Parameters = ["authz", "access_token", "refresh_token", "client_secret", "bearer_token"];

    private static readonly SearchValues<string> Triggers =
        SearchValues.Create([Jwt, Bearer, Authorization, Scheme, .. Parameters], StringComparison.OrdinalIgnoreCase);

    private static readonly SearchValues<char> JwtCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>What may end an unquoted value; the percent sign only as that of an escaped ampersand.</summary>
    private static readonly SearchValues<char> ValueEnds = SearchValues.Create(" \t\r\n\"'`&,;<>(){}[]\\%");

    private static readonly SearchValues<char> AuthorityEnds = SearchValues.Create("/?# \t\r\n\"'<>");

    private readonly Lock _learning = new();
    private readonly Queue<string> _learned = [];
    private volatile string[] _spellings = [];

    /// <summary>Hides this text from now on, as it is and as URLs and JSON spell it.</summary>
    public void Learn(string secret)
    {
        if (secret.Length < MinLearned || JwtEnd(secret, 0, out _) == secret.Length)
        {
            return;
        }

        lock (_learning)
        {
            if (_learned.Contains(secret))
            {
                return;
            }

            _learned.Enqueue(secret);
            if (_learned.Count > MaxLearned)
            {
                _learned.Dequeue();
            }

            // Longest first: a secret that is part of another must not leave the rest of it standing.
            _spellings = [.. _learned.SelectMany(Spell).Distinct().OrderByDescending(spelling => spelling.Length)];
        }
    }

    /// <summary>The text without secrets; the same instance when there are none.</summary>
    public string Redact(string text)
    {
        foreach (string spelling in _spellings)
        {
            text = WithoutBeginning(text.Replace(spelling, Mark, StringComparison.Ordinal), spelling);
        }

        return RedactShapes(text);
    }

    /// <summary>An error without secrets.</summary>
    public PelicanException Redact(PelicanException error) =>
        error.With(Redact(error.Message), error.NextStep is { } step ? Redact(step) : null, Redact(error.Attempts));

    /// <summary>Attempts without secrets.</summary>
    public IReadOnlyList<Attempt> Redact(IReadOnlyList<Attempt> attempts) =>
        [.. attempts.Select(attempt => attempt with { Error = attempt.Error is { } said ? Redact(said) : null })];

    // A text that was cut may end within a secret.
    private static string WithoutBeginning(string text, string spelling)
    {
        for (int cut = text.IndexOf('…', StringComparison.Ordinal); cut >= 0; cut = text.IndexOf('…', cut + 1))
        {
            for (int length = Math.Min(cut, spelling.Length - 1); length >= MinLearned; length--)
            {
                if (text.AsSpan(cut - length, length).SequenceEqual(spelling.AsSpan(0, length)))
                {
                    text = $"{text[..(cut - length)]}{Mark}{text[cut..]}";
                    cut += Mark.Length - length;
                    break;
                }
            }
        }

        return text;
    }

    /// <summary>The text without what has the shape of a secret.</summary>
    public static string RedactShapes(string text)
    {
        StringBuilder? clean = null;
        int done = 0;
        int noJwtBefore = 0;
        for (int at = Next(text, 0); at >= 0;)
        {
            (int start, int end) = FindSecret(text, at, ref noJwtBefore);
            if (end > start && !IsHidden(text, start, end))
            {
                clean ??= new StringBuilder(text.Length);
                clean.Append(text, done, start - done).Append(Hide(text.AsSpan(start, end - start)));
                done = end;
            }

            at = Next(text, Math.Max(done, at + 1));
        }

        return clean is null ? text : clean.Append(text, done, text.Length - done).ToString();
    }

    private static IEnumerable<string> Spell(string secret) =>
        [secret, Uri.EscapeDataString(secret), JavaScriptEncoder.Default.Encode(secret)];

    private static int Next(string text, int from)
    {
        int offset = text.AsSpan(from).IndexOfAny(Triggers);
        return offset < 0 ? -1 : from + offset;
    }

    /// <summary>The header of a JWT is no secret, and helps to tell tokens apart.</summary>
    private static string Hide(ReadOnlySpan<char> secret) =>
        JwtEnd(secret, 0, out int header) == secret.Length ? $"{secret[..header]}.{Mark}" : Mark;

    /// <summary>Whether this is the header that was left of a JWT: text may pass here twice.</summary>
    private static bool IsHidden(ReadOnlySpan<char> text, int start, int end) =>
        text[start..].StartsWith(Jwt, StringComparison.Ordinal) && text[end - 1] == '.' && RunEnd(text, start) == end - 1
        && text[end..].StartsWith(Mark, StringComparison.Ordinal);

    /// <summary>The secret that a trigger announces; empty when it announces none.</summary>
    private static (int Start, int End) FindSecret(ReadOnlySpan<char> text, int at, ref int noJwtBefore)
    {
        ReadOnlySpan<char> rest = text[at..];
        if (rest.StartsWith(Jwt, StringComparison.Ordinal))
        {
            // Within one run of letters the answer is the same for all starts: asked once, lest time be quadratic.
            int end = at < noJwtBefore ? -1 : JwtEnd(text, at, out noJwtBefore);
            return (at, end);
        }

        foreach (string parameter in Parameters)
        {
            if (rest.StartsWith(parameter, StringComparison.OrdinalIgnoreCase))
            {
                return ValueOf(text, at + parameter.Length);
            }
        }

        return rest.StartsWith(Authorization, StringComparison.OrdinalIgnoreCase) ? CredentialsOf(text, at)
            : rest.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? BearerOf(text, at + Bearer.Length)
            : rest.StartsWith(Scheme, StringComparison.Ordinal) ? PasswordOf(text, at + Scheme.Length)
            : (at, at);
    }

    /// <summary>The end of a JWT, signed, encrypted or cut short after its payload begins; -1 when there is none.</summary>
    private static int JwtEnd(ReadOnlySpan<char> text, int start, out int headerEnd)
    {
        headerEnd = RunEnd(text, start);
        if (!text[start..].StartsWith(Jwt, StringComparison.Ordinal))
        {
            return -1;
        }

        int end = headerEnd;
        while (end < text.Length && text[end] == '.' && RunEnd(text, end + 1) is int next && next > end + 1)
        {
            end = next;
        }

        return end > headerEnd ? end : -1;
    }

    private static int RunEnd(ReadOnlySpan<char> text, int start)
    {
        int length = text[start..].IndexOfAnyExcept(JwtCharacters);
        return length < 0 ? text.Length : start + length;
    }

    /// <summary>The value after <c>name=</c> or <c>"name":</c>, in a URL, a form, or JSON, itself quoted or not.</summary>
    private static (int Start, int End) ValueOf(ReadOnlySpan<char> text, int at)
    {
        int start = AfterSeparator(text, at);
        if (start < 0)
        {
            return (at, at);
        }

        if (Quoted(text, start) is { } quoted)
        {
            return quoted;
        }

        int end = WordEnd(text, start);
        return IsScheme(text[start..end]) ? (start, WordEnd(text, SkipBlanks(text, end))) : (start, end);
    }

    /// <summary>Scheme and credentials of an <c>Authorization</c> header; of a familiar scheme only the credentials.</summary>
    private static (int Start, int End) CredentialsOf(ReadOnlySpan<char> text, int at)
    {
        // X-Pelican-Authorization names issuers and is worth reading.
        bool harmless = text[..at].EndsWith("pelican-", StringComparison.OrdinalIgnoreCase);
        int start = harmless ? -1 : AfterSeparator(text, at + Authorization.Length);
        if (start < 0)
        {
            return (at, at);
        }

        if (Quoted(text, start) is { } quoted)
        {
            return quoted;
        }

        int wordEnd = WordEnd(text, start);
        int second = SkipBlanks(text, wordEnd);
        return (IsScheme(text[start..wordEnd]) ? second : start, WordEnd(text, second));
    }

    private static (int Start, int End) BearerOf(ReadOnlySpan<char> text, int at)
    {
        int start = text[at..].StartsWith("%20", StringComparison.Ordinal) ? at + 3
            : at < text.Length && text[at] == '+' ? at + 1
            : SkipBlanks(text, at);
        int end = start == at ? at : WordEnd(text, start);
        return IsWord(text, at - Bearer.Length) || IsWord(text[start..end]) ? (at, at) : (start, end);
    }

    /// <summary>The password in <c>scheme://user:password@host</c>.</summary>
    private static (int Start, int End) PasswordOf(ReadOnlySpan<char> text, int at)
    {
        int length = text[at..].IndexOfAny(AuthorityEnds);
        ReadOnlySpan<char> authority = length < 0 ? text[at..] : text.Slice(at, length);
        int end = authority.LastIndexOf('@');
        int colon = end < 0 ? -1 : authority[..end].IndexOf(':');
        return colon < 0 ? (at, at) : (at + colon + 1, at + end);
    }

    // "t.bearer holds" is no header.
    private static bool IsWord(ReadOnlySpan<char> text, int at) => at > 0 && (JwtCharacters.Contains(text[at - 1]) || text[at - 1] is '.' or '/');

    private static bool IsWord(ReadOnlySpan<char> word) =>
        word.Length <= LongestWord && word.TrimEnd('.').IndexOfAnyExceptInRange('a', 'z') < 0;

    private static bool IsScheme(ReadOnlySpan<char> word) =>
        word.Equals(Bearer, StringComparison.OrdinalIgnoreCase) || word.Equals("basic", StringComparison.OrdinalIgnoreCase);

    private static int AfterSeparator(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is '"' or '\'' or '\\')
        {
            at++;
        }

        at = SkipBlanks(text, at);
        if (text[at..].StartsWith("%3D", StringComparison.OrdinalIgnoreCase))
        {
            return at + 3;
        }

        return at < text.Length && text[at] is '=' or ':' ? SkipBlanks(text, at + 1) : -1;
    }

    /// <summary>What quotes enclose, on this line; null when no quote is here. Quotes may be escaped, as in JSON within JSON.</summary>
    private static (int Start, int End)? Quoted(ReadOnlySpan<char> text, int at)
    {
        int open = at;
        while (open < text.Length && text[open] == '\\')
        {
            open++;
        }

        if (open == text.Length || text[open] is not ('"' or '\''))
        {
            return null;
        }

        int depth = open - at;
        int escapes = 0;
        int end = open + 1;
        for (; end < text.Length && text[end] is not ('\r' or '\n'); end++)
        {
            if (text[end] == text[open] && escapes <= depth)
            {
                return (open + 1, end - escapes);
            }

            escapes = text[end] == '\\' ? escapes + 1 : 0;
        }

        return (open + 1, end);
    }

    private static int SkipBlanks(ReadOnlySpan<char> text, int at)
    {
        int length = text[at..].IndexOfAnyExcept(' ', '\t');
        return length < 0 ? text.Length : at + length;
    }

    /// <summary>The end of an unquoted value. It looks no further than that, or many short values would take quadratic time.</summary>
    private static int WordEnd(ReadOnlySpan<char> text, int start)
    {
        int end = start;
        while (text[end..].IndexOfAny(ValueEnds) is >= 0 and int length)
        {
            end += length;
            if (text[end] != '%' || text[end..].StartsWith("%26", StringComparison.Ordinal))
            {
                return end;
            }

            end++;
        }

        return text.Length;
    }
}
