using System.Globalization;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>A setting as it was written, and the forms it may have to take.</summary>
/// <param name="Name">Its documented name, <c>Client.WorkerCount</c>.</param>
/// <param name="Items">One text for a scalar; the items of a list.</param>
/// <param name="Where">Where it was written: <c>/etc/pelican/pelican.yaml:12</c>, <c>PELICAN_CLIENT_WORKERCOUNT</c>, <c>--federation</c>.</param>
internal sealed record SettingValue(string Name, IReadOnlyList<string> Items, string Where)
{
    /// <summary>The longest time limit that timers can be set to.</summary>
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(24);

    /// <summary>The text of a scalar.</summary>
    public string Text => Items.Count == 1 ? Items[0] : throw Bad("one value, not a list");

    /// <summary>A list: its items, or a scalar cut at commas and blanks.</summary>
    public IReadOnlyList<string> List => Items.Count != 1
        ? Items
        : Items[0].Split([',', ' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Yes or no, in any of the spellings that Go and YAML know.</summary>
    public bool Flag => Text.ToUpperInvariant() switch
    {
        "1" or "T" or "TRUE" or "YES" or "Y" or "ON" => true,
        "0" or "F" or "FALSE" or "NO" or "N" or "OFF" => false,
        _ => throw Bad("true or false"),
    };

    /// <summary>A whole number.</summary>
    public long Whole(long least, long most) =>
        long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
        && number >= least && number <= most
            ? number
            : throw Bad(most == long.MaxValue ? $"a whole number, at least {least}" : $"a whole number from {least} to {most}");

    /// <summary>A time span in Go's notation; a bare number counts seconds, and <paramref name="warn"/> is told.</summary>
    public TimeSpan Time(bool zeroAllowed, Action<string> warn)
    {
        const string form = "a time such as 1m40s, 30s or 500ms";
        TimeSpan time;
        if (long.TryParse(Text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds != 0)
        {
            // The Go client takes it for nanoseconds and then guesses that seconds were meant (federation-protocol 3.8.4).
            time = seconds < LongestTime.TotalSeconds ? TimeSpan.FromSeconds(seconds) : TimeSpan.MaxValue;
            warn($"{Where}: {Name} is {Text} without a unit; seconds are assumed: write {Text}s");
        }
        else
        {
            time = GoDuration.Parse(Text) ?? throw Bad(form);
        }

        return time < TimeSpan.Zero || time > LongestTime ? throw Bad($"{form}, at most {LongestTime.TotalHours:0}h")
            : time == TimeSpan.Zero && !zeroAllowed ? throw Bad($"{form}, more than nothing")
            : time;
    }

    /// <summary>The error that says what was expected here.</summary>
    public PelicanException Bad(string expected) =>
        new(Errors.Configuration, $"{Where}: {Name} is '{string.Join(", ", Items)}', which is not {expected}");
}
