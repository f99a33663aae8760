using System.Globalization;

namespace Pelican.Transfer;

/// <summary>Pieces of messages about tokens. What comes out of a token was written by others and is bounded and cleaned.</summary>
internal static class TokenText
{
    private const int MaxLength = 120;
    private const int MaxItems = 5;

    /// <summary>A moment as RFC 3339, UTC, to the second.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A length of time in its largest fitting unit.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:F0} s"),
        { TotalMinutes: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:F0} min"),
        { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:F0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:F0} days"),
    };

    /// <summary>The first few of a list, comma separated, each cleaned.</summary>
    public static string Some(IReadOnlyList<string> items)
    {
        string shown = string.Join(", ", items.Take(MaxItems).Select(Clean));
        return items.Count <= MaxItems ? shown : string.Create(CultureInfo.InvariantCulture, $"{shown} and {items.Count - MaxItems} more");
    }

    /// <summary>A path on one line, whatever it holds.</summary>
    public static string Line(string path) => new([.. path.Select(c => char.IsControl(c) ? '?' : c)]);

    /// <summary>A text in printable ASCII and of bearable length.</summary>
    public static string Clean(string text)
    {
        string cut = text.Length <= MaxLength ? text : text[..MaxLength] + "...";
        return new string([.. cut.Select(c => c is >= ' ' and <= '~' ? c : '?')]);
    }
}
