namespace Pelican.Server;

/// <summary>A job at work: what of it is not on the disk yet, and the ways to stop it. Thread-safe.</summary>
internal sealed class LiveJob : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _pause = new();
    private readonly RateMeter _meter;
    private volatile Now _now;
    private volatile bool _cancelled;

    public LiveJob(RunningJob job, TimeProvider clock)
    {
        _meter = new RateMeter(clock);
        (Seq, Id, Options) = (job.Job.Seq, job.Job.Id, job.Job.Options);
        _now = Of(job, 0);
    }

    /// <summary><see cref="JobRow.Seq"/>.</summary>
    public long Seq { get; }

    public string Id { get; }

    /// <summary>Options of the job, JSON; null for none.</summary>
    public string? Options { get; }

    /// <summary>The transfer that runs.</summary>
    public TransferRow Current => _now.Transfer;

    /// <summary>Its counters.</summary>
    public TransferCounters Counters => _now.Counters;

    /// <summary>Signalled when it is to stop, for good or for now.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Signalled when it is to stop for now: the server ends, and nothing more can be waited for.</summary>
    public CancellationToken Pausing => _pause.Token;

    /// <summary>Whether it is to stop for good.</summary>
    public bool IsCancelled => _cancelled;

    /// <summary>Ends when nothing of it moves any more.</summary>
    public Task Ended { get; set; } = Task.CompletedTask;

    /// <summary>Bytes of the whole job, and how many are wanted.</summary>
    public (long Bytes, long Total) Sum
    {
        get
        {
            Now now = _now;
            (long bytes, long total) = now.Counters.Now;
            return (Numbers.Add(now.OtherBytes, bytes), Numbers.Add(now.OtherTotal, total));
        }
    }

    /// <summary>Bytes of the transfer that runs, and how many are wanted; 0 when unknown.</summary>
    public (string Transfer, long Bytes, long Total) Moving
    {
        get
        {
            Now now = _now;
            (long bytes, long total) = now.Counters.Now;
            return (now.Transfer.Id, bytes, total);
        }
    }

    /// <summary>10⁶ bits a second, over the last seconds.</summary>
    public double Rate
    {
        get
        {
            Now now = _now;
            return _meter.Sample(now.OtherBytes + now.Counters.Now.Bytes - now.Already);
        }
    }

    /// <summary>Goes on to the next transfer.</summary>
    public void GoOn(RunningJob job) => _now = Of(job, _now.Already);

    /// <summary>Stops it for good.</summary>
    public void Cancel()
    {
        _cancelled = true;
        Signal(_stop);
    }

    /// <summary>Stops it for now.</summary>
    public void Pause()
    {
        Signal(_pause);
        Signal(_stop);
    }

    private static void Signal(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended a moment ago.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Dispose();
        _pause.Dispose();
    }

    private static Now Of(RunningJob job, long already)
    {
        TransferRow current = job.Current!;
        return new Now(current, new TransferCounters(current.Source), job.Job.Bytes - current.Bytes, job.Job.TotalBytes - current.TotalBytes, already);
    }

    // Replaced as a whole, so that nobody adds the bytes of one transfer to the counters of another.
    private sealed record Now(TransferRow Transfer, TransferCounters Counters, long OtherBytes, long OtherTotal, long OtherAlready)
    {
        public long Already => OtherAlready + Counters.AlreadyBytes;
    }
}
