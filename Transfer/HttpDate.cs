using System.Globalization;

namespace Pelican.Transfer;

/// <summary>
/// Dates as servers write them: all three forms of RFC 9110 5.6.7, and those of ISO 8601. The day of the week is not read: it tells nothing,
/// and some have it wrong.
/// </summary>
internal static class HttpDate
{
    private static readonly string[] Forms = ["d MMM yyyy H:mm:ss", "d-MMM-yy H:mm:ss", "d-MMM-yyyy H:mm:ss", "MMM d H:mm:ss yyyy"];

    /// <summary>The moment; null when it is none.</summary>
    public static DateTimeOffset? Parse(string text)
    {
        string date = text.Trim();
        int comma = date.IndexOf(',', StringComparison.Ordinal);
        string[] words = date.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // "Sun, 06 Nov 1994 …", "Sunday, 06-Nov-94 …", "Sun Nov  6 08:49:37 1994".
        string[] rest = comma > 0 ? date[(comma + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : words.Length == 5 && words[0].Length == 3 && char.IsAsciiLetter(words[0][0]) ? words[1..]
            : words;
        string plain = string.Join(' ', rest is [.., "GMT" or "UTC"] ? rest[..^1] : rest);
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTimeOffset.TryParseExact(plain, Forms, CultureInfo.InvariantCulture, Utc, out DateTimeOffset exact) ? exact
            : DateTimeOffset.TryParse(date, CultureInfo.InvariantCulture, Utc, out DateTimeOffset any) ? any
            : null;
    }

    /// <summary><c>Last-Modified</c> of an answer; null when it has none.</summary>
    public static DateTimeOffset? LastModified(HttpResponseMessage response) =>
        response.Content.Headers.NonValidated.TryGetValues("Last-Modified", out System.Net.Http.Headers.HeaderStringValues values) ? Parse(values.ToString()) : null;
}
