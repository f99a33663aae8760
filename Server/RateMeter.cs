namespace Pelican.Server;

/// <summary>Rate of a running job over the last seconds. Thread-safe.</summary>
internal sealed class RateMeter(TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>Samples closer together than this add nothing.</summary>
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly Queue<(long At, long Bytes)> _samples = [];
    private long _last = long.MinValue;

    /// <summary>Takes in how far it is, and tells the rate.</summary>
    /// <param name="bytes">Bytes so far; fewer than before when something had to start over.</param>
    /// <returns>10⁶ bits a second.</returns>
    public double Sample(long bytes)
    {
        lock (_lock)
        {
            long now = clock.GetTimestamp();
            if (_last == long.MinValue || clock.GetElapsedTime(_last, now) >= Spacing)
            {
                _samples.Enqueue((now, bytes));
                _last = now;
            }

            while (_samples.Count > 2 && clock.GetElapsedTime(_samples.Peek().At, now) > Window)
            {
                _samples.Dequeue();
            }

            (long at, long before) = _samples.Peek();
            double seconds = clock.GetElapsedTime(at, now).TotalSeconds;
            return seconds > 0 ? Math.Max(0, bytes - before) * 8 / seconds / 1e6 : 0;
        }
    }
}
