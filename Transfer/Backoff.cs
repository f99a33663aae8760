namespace Pelican.Transfer;

/// <summary>How long to wait before trying again.</summary>
internal static class Backoff
{
    /// <summary>Half a second, doubled each time up to a limit, each between half and one and a half of it; never less than the server asks for.</summary>
    /// <param name="attempt">Attempts made so far, from 1.</param>
    /// <param name="max">Longest wait of our own.</param>
    /// <param name="retryAfter">What the server asked for; null for nothing. Honoured up to a minute.</param>
    /// <param name="random">Source of the jitter.</param>
    public static TimeSpan Delay(int attempt, TimeSpan max, TimeSpan? retryAfter, Random random)
    {
        double seconds = Math.Min(max.TotalSeconds, 0.5 * Math.Pow(2, Math.Min(attempt, 20) - 1));
        TimeSpan own = TimeSpan.FromSeconds(seconds * (0.5 + random.NextDouble()));
        TimeSpan asked = retryAfter is { } wait ? TimeSpan.FromSeconds(Math.Min(wait.TotalSeconds, 60)) : TimeSpan.Zero;
        return own > asked ? own : asked;
    }
}
