namespace Pelican.Transfer;

/// <summary>How long to wait before trying again.</summary>
internal static class Backoff
{
    private static readonly TimeSpan Max = TimeSpan.FromSeconds(15);

    /// <summary>The first wait, doubled each time up to 15 s, each between half and one and a half of it; never less than the server asks for.</summary>
    /// <param name="attempt">Attempts made so far, from 1.</param>
    /// <param name="first">First wait.</param>
    /// <param name="retryAfter">What the server asked for; null for nothing. Honoured up to a minute.</param>
    /// <param name="random">Source of the jitter.</param>
    public static TimeSpan Delay(int attempt, TimeSpan first, TimeSpan? retryAfter, Random random)
    {
        double seconds = Math.Min(Max.TotalSeconds, first.TotalSeconds * Math.Pow(2, Math.Min(attempt, 20) - 1));
        TimeSpan own = TimeSpan.FromSeconds(seconds * (0.5 + random.NextDouble()));
        TimeSpan asked = retryAfter is { } wait ? TimeSpan.FromSeconds(Math.Min(wait.TotalSeconds, 60)) : TimeSpan.Zero;
        return own > asked ? own : asked;
    }
}
