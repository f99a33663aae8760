using System.Buffers;
using System.Globalization;

namespace Pelican.Server;

/// <summary>Time spans as Go's <c>time.ParseDuration</c> takes them: <c>1m40s</c>, <c>1.5h</c>, <c>100ms</c>.</summary>
internal static class GoDuration
{
    private static readonly (string Unit, double Seconds)[] Units =
    [
        // Two letters before one: "ms" is not minutes.
        ("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600),
    ];

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    /// <summary>Reads one; null when it is none, or too long to count.</summary>
    public static TimeSpan? Parse(string text)
    {
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        bool negative = rest.StartsWith("-");
        rest = negative || rest.StartsWith("+") ? rest[1..] : rest;
        if (rest is "0")
        {
            return TimeSpan.Zero;
        }

        double seconds = 0;
        bool any = false;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExcept(Digits);
            if (digits < 1 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
            {
                return null;
            }

            rest = rest[digits..];
            if (FindUnit(rest) is not { } unit)
            {
                return null;
            }

            seconds += number * unit.Seconds;
            rest = rest[unit.Unit.Length..];
            any = true;
        }

        return any && seconds < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(negative ? -seconds : seconds) : null;
    }

    private static (string Unit, double Seconds)? FindUnit(ReadOnlySpan<char> text)
    {
        foreach ((string Unit, double Seconds) unit in Units)
        {
            if (text.StartsWith(unit.Unit, StringComparison.Ordinal))
            {
                return unit;
            }
        }

        return null;
    }
}
