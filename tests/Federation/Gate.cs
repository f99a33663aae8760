namespace Pelican.Federation;

/// <summary>Lets a body through by as many bytes as the test allows: a stall, or a drip, without a clock.</summary>
/// <param name="allowed">Bytes let through from the start; the head of the answer is never held back.</param>
public sealed class Gate(long allowed = 0)
{
    private readonly Lock _lock = new();
    private long _allowed = allowed;
    private TaskCompletionSource _more = NewSignal();
    private TaskCompletionSource _blocked = NewSignal();

    /// <summary>Completes once a server waits here; a new task after each <see cref="Allow"/>.</summary>
    public Task Blocked
    {
        get
        {
            lock (_lock)
            {
                return _blocked.Task;
            }
        }
    }

    /// <summary>Lets more bytes through.</summary>
    public void Allow(long bytes)
    {
        lock (_lock)
        {
            _allowed = bytes > long.MaxValue - _allowed ? long.MaxValue : _allowed + bytes;
            _more.TrySetResult();
            _more = NewSignal();
            _blocked = NewSignal();
        }
    }

    /// <summary>Lets everything through.</summary>
    public void Open() => Allow(long.MaxValue);

    /// <summary>Waits until at least one byte may pass.</summary>
    /// <returns>Bytes that may pass now, at most those wanted.</returns>
    internal async Task<int> TakeAsync(int wanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task more;
            lock (_lock)
            {
                int taken = (int)Math.Min(wanted, _allowed);
                if (taken > 0)
                {
                    _allowed -= taken;
                    return taken;
                }

                _blocked.TrySetResult();
                more = _more.Task;
            }

            await more.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
