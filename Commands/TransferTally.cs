using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What became of the objects of one command, in numbers: it must not grow with them.</summary>
/// <param name="total">How many there are.</param>
internal sealed class TransferTally(long total)
{
    private PelicanException? _worst;

    /// <summary>How many objects there are; of a tree that is being walked, so far.</summary>
    public long Total { get; set; } = total;

    /// <summary>Objects that were moved.</summary>
    public long Succeeded { get; private set; }

    /// <summary>Objects that were there already.</summary>
    public long Already { get; private set; }

    /// <summary>Objects that are not.</summary>
    public long Failed { get; private set; }

    /// <summary>Of those that succeeded, the ones whose bytes no server could confirm.</summary>
    public long Unverified { get; private set; }

    /// <summary>Size of what was moved.</summary>
    public long Bytes { get; private set; }

    /// <summary>Objects that were under way when the command was interrupted.</summary>
    public long Interrupted { get; private set; }

    /// <summary>Bytes of theirs that the same command, given again, need not move.</summary>
    public long Kept { get; private set; }

    /// <summary>Objects that an interruption left out.</summary>
    public long NotTried => Total - Succeeded - Already - Failed - Interrupted;

    /// <summary>Whether something failed, and all that did can succeed later.</summary>
    public bool Retryable => _worst is { Retryable: true };

    /// <summary>Exit status: 0, or that of the worst failure, where one that no retry cures is worse than one that a retry may cure.</summary>
    public int ExitStatus => _worst?.ExitStatus ?? 0;

    /// <summary>Counts a success.</summary>
    public void Add(TransferResult result)
    {
        if (result.WasThere)
        {
            Already++;
            return;
        }

        Succeeded++;
        Bytes += result.Size;
        Unverified += result.Verification == Verification.Unverified ? 1 : 0;
    }

    /// <summary>Counts one that was interrupted.</summary>
    public void Add(TransferProgress interrupted)
    {
        Interrupted++;
        Kept += interrupted.Kept;
    }

    /// <summary>Counts a failure.</summary>
    public void Add(PelicanException failure)
    {
        Failed++;
        if (_worst is null || (_worst.Retryable && !failure.Retryable))
        {
            _worst = failure;
        }
    }
}
