namespace Pelican.Transfer;

/// <summary>Counts of a tree, at the end or on the way.</summary>
internal sealed record TreeResult
{
    /// <summary>Objects in place (or, in a deletion, gone), those of <see cref="Already"/> included.</summary>
    public required long Objects { get; init; }

    /// <summary>Object bytes in place, those of objects that are still on their way included.</summary>
    public required long Bytes { get; init; }

    /// <summary>Objects found so far; grows until <see cref="TotalsAreFinal"/>.</summary>
    public required long TotalObjects { get; init; }

    /// <summary>Bytes of <see cref="TotalObjects"/>.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>Whether the walk is over: nothing more will be found.</summary>
    public required bool TotalsAreFinal { get; init; }

    /// <summary>Objects that were in place before: an earlier run remembers them, or they are proved to be the same.</summary>
    public required long Already { get; init; }

    /// <summary>Bytes of <see cref="Already"/>: in place, but no part of any speed.</summary>
    public required long AlreadyBytes { get; init; }

    /// <summary>Collections made, or found where they should be.</summary>
    public required long Collections { get; init; }

    /// <summary>Entries left out on purpose, each said in a warning: links to directories, sockets, devices, pipes.</summary>
    public required long LeftOut { get; init; }

    /// <summary>Objects, and collections as such, that failed; these collections count in <see cref="TotalObjects"/> too.</summary>
    public required long Failed { get; init; }

    /// <summary>What failed, how many of how many; null when nothing did.</summary>
    public required PelicanException? Failure { get; init; }
}

/// <summary>Counters of one running tree: written by it, read by whoever shows it, as often as that one likes.</summary>
internal sealed class TreeProgress
{
    private readonly Lock _lock = new();
    private readonly List<TransferProgress> _running = [];
    private PelicanException? _first;
    private PelicanException? _final;
    private long _objects;
    private long _bytes;
    private long _totalObjects;
    private long _totalBytes;
    private long _already;
    private long _alreadyBytes;
    private long _collections;
    private long _leftOut;
    private long _failed;
    private bool _walked;

    /// <summary>The counts at this moment.</summary>
    public TreeResult Now()
    {
        lock (_lock)
        {
            return new TreeResult
            {
                Objects = _objects,
                Bytes = _bytes + _running.Sum(transfer => transfer.Bytes),
                TotalObjects = _totalObjects,
                TotalBytes = _totalBytes,
                TotalsAreFinal = _walked,
                Already = _already,
                AlreadyBytes = _alreadyBytes,
                Collections = _collections,
                LeftOut = _leftOut,
                Failed = _failed,
                Failure = Failure(),
            };
        }
    }

    internal void Found(long bytes)
    {
        lock (_lock)
        {
            _totalObjects++;
            _totalBytes += bytes;
        }
    }

    internal void FoundCollection()
    {
        lock (_lock)
        {
            _collections++;
        }
    }

    internal void LeftOut()
    {
        lock (_lock)
        {
            _leftOut++;
        }
    }

    internal void Walked()
    {
        lock (_lock)
        {
            _walked = true;
        }
    }

    /// <summary>One was there before.</summary>
    /// <param name="bytes">Its size.</param>
    /// <param name="found">Its size as it was found; an object may have grown since.</param>
    internal void IsThereAlready(long bytes, long found)
    {
        lock (_lock)
        {
            _totalBytes += bytes - found;
            _objects++;
            _already++;
            _alreadyBytes += bytes;
            _bytes += bytes;
        }
    }

    internal void Began(TransferProgress transfer)
    {
        lock (_lock)
        {
            _running.Add(transfer);
        }
    }

    internal void Ended(TransferProgress transfer)
    {
        lock (_lock)
        {
            _running.Remove(transfer);
        }
    }

    /// <summary>One was moved, or removed; parameters as above.</summary>
    internal void Succeeded(long bytes, long found)
    {
        lock (_lock)
        {
            _totalBytes += bytes - found;
            _objects++;
            _bytes += bytes;
        }
    }

    internal void Failed(PelicanException failure)
    {
        lock (_lock)
        {
            _failed++;
            _first ??= failure;
            _final ??= failure.Retryable ? null : failure;
        }
    }

    // One that no later try can cure decides what the whole is called; the one that came first is told.
    private PelicanException? Failure()
    {
        if (_first is null || (_failed == 1 && _totalObjects == 1))
        {
            return _first;
        }

        PelicanException telling = _final ?? _first;
        return new PelicanException(telling.Row, $"{_failed} of {_totalObjects} failed, first: {_first.Message}", telling.NextStep, telling)
        {
            Retryable = _final is null,
            ServersMayBeDown = telling.ServersMayBeDown,
            IsOfDirector = telling.IsOfDirector,
        };
    }
}
