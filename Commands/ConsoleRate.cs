namespace Pelican.Commands;

/// <summary>A rate over the last seconds, from counts taken now and then.</summary>
internal sealed class ConsoleRate
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private readonly Queue<(DateTimeOffset Time, long Bytes)> _samples = new();
    private long _last;

    /// <summary>Takes a count.</summary>
    /// <param name="time">Now.</param>
    /// <param name="bytes">Bytes so far. A count that falls starts afresh: a server made us begin again.</param>
    public void Add(DateTimeOffset time, long bytes)
    {
        if (bytes < _last)
        {
            _samples.Clear();
        }

        _last = bytes;
        _samples.Enqueue((time, bytes));
        while (_samples.Count > 2 && time - _samples.Peek().Time > Window)
        {
            _samples.Dequeue();
        }
    }

    /// <summary>Bytes a second over the window; null until two counts say something.</summary>
    public double? BytesPerSecond
    {
        get
        {
            if (_samples.Count < 2)
            {
                return null;
            }

            (DateTimeOffset time, long bytes) = _samples.Peek();
            double seconds = (_samples.Last().Time - time).TotalSeconds;
            return seconds > 0 ? (_last - bytes) / seconds : null;
        }
    }
}
