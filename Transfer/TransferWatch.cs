namespace Pelican.Transfer;

/// <summary>Why a watched transfer was stopped.</summary>
internal enum StopReason
{
    /// <summary>It was not.</summary>
    None,

    /// <summary>No byte came for too long.</summary>
    Stalled,

    /// <summary>Bytes came, but too slowly for too long.</summary>
    Slow,
}

/// <summary>
/// Watches the bytes of one attempt and stops it when they cease or crawl (federation-protocol 3.8). It is about the rate, never
/// about the whole time.
/// </summary>
internal sealed class TransferWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TimeConstant = TimeSpan.FromSeconds(10);

    private readonly ClientSettings _settings;
    private readonly TimeProvider _clock;
    private readonly bool _slowRule;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _timer;
    private readonly long _started;
    private long _bytes;
    private long _seen;
    private long _lastProgress;
    private long _lastTick;
    private long _rated;
    private long _lastRated;
    private long? _slowSince;
    private double _rate;

    /// <summary>Starts watching.</summary>
    /// <param name="settings">The limits.</param>
    /// <param name="slowRule">Whether slowness counts too; uploads have no such rule.</param>
    /// <param name="clock">Time.</param>
    public TransferWatch(ClientSettings settings, bool slowRule, TimeProvider clock)
    {
        _settings = settings;
        _slowRule = slowRule && settings.MinimumDownloadSpeed > 0;
        _clock = clock;
        _started = _lastProgress = _lastTick = _lastRated = clock.GetTimestamp();
        _timer = clock.CreateTimer(_ => Check(), null, Interval, Interval);
    }

    /// <summary>Cancelled when the rule is broken.</summary>
    public CancellationToken Stopped => _stop.Token;

    /// <summary>Which rule was broken.</summary>
    public StopReason Reason { get; private set; }

    /// <summary>Tells of bytes that moved.</summary>
    public void Moved(int bytes) => Volatile.Write(ref _bytes, _bytes + bytes);

    /// <summary>Whether the other side is waiting for us: a slow disk or reader is not blamed on the server.</summary>
    public bool Busy { get; set; }

    /// <summary>The error to report for the broken rule.</summary>
    public PelicanException Error(string server) => Reason == StopReason.Slow
        ? new PelicanException(Errors.Slow,
            $"{server} is too slow: {_rate / 1000:0.#} kB/s for {_settings.SlowTransferWindow.TotalSeconds:0} s (the minimum is {_settings.MinimumDownloadSpeed / 1000.0:0.#} kB/s)")
        : new PelicanException(Errors.Stopped,
            $"{server} sent nothing for {_settings.StoppedTransferTimeout.TotalSeconds:0.#} s after {_bytes} bytes");

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _stop.Dispose();
    }

    private void Check()
    {
        long now = _clock.GetTimestamp();
        long bytes = Volatile.Read(ref _bytes);
        long tick = now - _lastTick;
        bool busy = Busy;
        if (bytes > _seen || busy)
        {
            _lastProgress = now;
        }

        (_seen, _lastTick) = (bytes, now);
        if (_clock.GetElapsedTime(_lastProgress, now) >= _settings.StoppedTransferTimeout)
        {
            Stop(StopReason.Stalled);
        }
        else if (_slowRule && busy)
        {
            // This time is ours: it counts neither for nor against the server.
            _lastRated += tick;
            _slowSince += tick;
        }
        else if (_slowRule)
        {
            CheckRate(now, bytes);
        }
    }

    private void CheckRate(long now, long bytes)
    {
        TimeSpan age = _clock.GetElapsedTime(_started, now);
        TimeSpan span = _clock.GetElapsedTime(_lastRated, now);
        if (bytes > _rated && span > TimeSpan.Zero)
        {
            // A plain average would hide a transfer that began well and then crawls; the last tick alone would be noise. Silence
            // keeps the last rate: it has a limit of its own (federation-protocol 3.8.2).
            double weight = 1 - Math.Exp(-span / TimeConstant);
            _rate = age < TimeConstant ? bytes / age.TotalSeconds : _rate + (weight * (((bytes - _rated) / span.TotalSeconds) - _rate));
            (_rated, _lastRated) = (bytes, now);
        }

        if (_rate >= _settings.MinimumDownloadSpeed || age < _settings.SlowTransferRampupTime)
        {
            _slowSince = null;
            return;
        }

        _slowSince ??= now;
        if (_clock.GetElapsedTime(_slowSince.Value, now) >= _settings.SlowTransferWindow)
        {
            Stop(StopReason.Slow);
        }
    }

    private void Stop(StopReason reason)
    {
        if (Reason != StopReason.None)
        {
            return;
        }

        Reason = reason;
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The transfer ended while the timer ran: there is nothing left to stop.
        }
    }
}
