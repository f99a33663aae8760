using System.Globalization;
using System.Text;

namespace Pelican.Commands;

/// <summary>How names, sizes, rates and times are written for people.</summary>
internal static class ConsoleText
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>
    /// Makes a text fit for a terminal: names come from servers and may hold escape sequences. Control characters and
    /// those that turn the direction of writing are spelled out, <c>\x1b</c> or <c>\u202e</c>.
    /// </summary>
    public static string Visible(string text)
    {
        int first = 0;
        while (first < text.Length && !IsHostile(text[first]))
        {
            first++;
        }

        if (first == text.Length)
        {
            return text;
        }

        StringBuilder visible = new(text, 0, first, text.Length + 16);
        foreach (char c in text.AsSpan(first))
        {
            _ = !IsHostile(c) ? visible.Append(c)
                : c <= 0xFF ? visible.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}")
                : visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return visible.ToString();
    }

    /// <summary>A name or path of the federation as it stands in a URL: what would begin an escape, a query or a fragment is escaped.</summary>
    public static string InUrl(string name) => Visible(name
        .Replace("%", "%25", StringComparison.Ordinal)
        .Replace("?", "%3F", StringComparison.Ordinal)
        .Replace("#", "%23", StringComparison.Ordinal));

    /// <summary>Columns that a text takes on a terminal, at most: wide and doubtful characters count as two.</summary>
    public static int Width(string text)
    {
        int width = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            width += WidthOf(rune);
        }

        return width;
    }

    /// <summary>Shortens a text to a number of columns, with an ellipsis where something is cut.</summary>
    public static string Fit(string text, int columns)
    {
        if (Width(text) <= columns)
        {
            return text;
        }

        StringBuilder fitted = new();
        int width = 1;
        foreach (Rune rune in text.EnumerateRunes())
        {
            width += WidthOf(rune);
            if (width > columns)
            {
                break;
            }

            fitted.Append(rune);
        }

        return columns < 1 ? "" : fitted.Append('…').ToString();
    }

    /// <summary>The same for a path or URL, whose end tells most: <c>osdf:///ospo…/run1.dat</c>.</summary>
    public static string FitPath(string path, int columns)
    {
        if (Width(path) <= columns)
        {
            return path;
        }

        int end = path.TrimEnd('/').LastIndexOf('/');
        string last = end > 0 ? path[end..] : "";
        int left = columns - Width(last);
        return left > 1 ? Fit(path[..^last.Length], left) + last : "…" + End(path, columns - 1);
    }

    private static string End(string text, int columns)
    {
        int start = text.Length;
        int width = 0;
        while (start > 0)
        {
            int before = start > 1 && char.IsLowSurrogate(text[start - 1]) && char.IsHighSurrogate(text[start - 2]) ? start - 2 : start - 1;
            width += Width(text[before..start]);
            if (width > columns)
            {
                break;
            }

            start = before;
        }

        return text[start..];
    }

    /// <summary>A number of bytes in decimal units, one decimal: <c>999 B</c>, <c>1.0 kB</c>, <c>850.3 MB</c>; a MB has 10⁶ bytes.</summary>
    public static string Size(double bytes)
    {
        int unit = 0;
        // 999.95 would be rounded to 1000.0.
        while (bytes >= (unit == 0 ? 999.5 : 999.95) && unit < Units.Length - 1)
        {
            bytes /= 1000;
            unit++;
        }

        string format = unit > 0 ? "0.0" : "0";
        return string.Create(CultureInfo.InvariantCulture, $"{bytes.ToString(format, CultureInfo.InvariantCulture)} {Units[unit]}");
    }

    /// <summary>Bytes a second.</summary>
    public static string Rate(double bytesPerSecond) => Size(bytesPerSecond) + "/s";

    /// <summary>How long something took: <c>0.03 s</c>, <c>1.2 s</c>, <c>2m05s</c>, <c>1h02m</c>.</summary>
    public static string Elapsed(TimeSpan time) => time.TotalSeconds switch
    {
        < 0.095 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s"),
        < 59.95 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        < 3599.5 => Minutes((long)Math.Round(time.TotalSeconds)),
        _ => Hours((long)Math.Round(time.TotalMinutes)),
    };

    /// <summary>A moment, for people: of their own zone, which is not said.</summary>
    public static string Time(DateTimeOffset time, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(time, zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>The same where others may read it: <c>2026-03-01 12:00:00 +0100</c>, <c>… +0000 UTC</c>.</summary>
    public static string ZonedTime(DateTimeOffset time, TimeZoneInfo zone)
    {
        TimeSpan offset = zone.GetUtcOffset(time);
        return Time(time, zone) + (offset < TimeSpan.Zero ? " -" : " +") + offset.ToString("hhmm", CultureInfo.InvariantCulture) + (offset == TimeSpan.Zero ? " UTC" : "");
    }

    /// <summary>Time left, as on a clock: <c>0:18</c>, <c>1:02:03</c>.</summary>
    public static string Clock(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");

    private static string Minutes(long seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}m{seconds % 60:00}s");

    private static string Hours(long minutes) => string.Create(CultureInfo.InvariantCulture, $"{minutes / 60}h{minutes % 60:00}m");

    private static int WidthOf(Rune rune) => rune.Value is < 0x1100 or '…' ? 1 : 2;

    // C0, DEL, C1; line and paragraph separators; marks, embeddings, overrides and isolates of direction.
    private static bool IsHostile(char c) =>
        char.IsControl(c) || c is '\u2028' or '\u2029' or '\u061C' or '\u200E' or '\u200F'
            or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
