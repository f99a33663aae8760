using System.Text;

namespace Pelican.Transfer;

/// <summary>One object of a tree.</summary>
/// <param name="Path">Below the top of the tree, with slashes between names; empty for the top itself.</param>
/// <param name="Source">Object URL or local path it comes from.</param>
/// <param name="Destination">Local path or object URL it goes to; empty in a deletion.</param>
/// <param name="Size">Bytes, as the listing or the file system said before it was moved; null when not said.</param>
/// <param name="Modified">Last modification as said then; null when not said.</param>
internal sealed record TreeItem(string Path, string Source, string Destination, long? Size, DateTimeOffset? Modified);

/// <summary>How one object of a tree ended, or why a collection could not be worked on. Of what is stopped on its way nothing is told.</summary>
/// <param name="Item">The object or collection.</param>
/// <param name="Progress">Its counters; null for a collection.</param>
/// <param name="Result">How it succeeded; null when it failed.</param>
/// <param name="Failure">Why it failed; null when it succeeded.</param>
internal sealed record TreeOutcome(TreeItem Item, TransferProgress? Progress, TransferResult? Result, PelicanException? Failure);

/// <summary>
/// What whoever starts a tree is told and asked. Several objects are in flight: each member may be called by several threads at
/// once, and holds up the object it is called for.
/// </summary>
internal sealed record TreeListener
{
    /// <summary>Whether an earlier run has moved this object and remembers it as it is: it is not moved again.</summary>
    public Func<TreeItem, bool> IsDone { get; init; } = _ => false;

    /// <summary>Whether an earlier run had begun this upload: what is at the destination may be its own. See <see cref="TransferOptions.WasBegun"/>.</summary>
    public Func<TreeItem, bool> WasBegun { get; init; } = _ => false;

    /// <summary>Bytes are about to move. For an upload: and it is certain that nothing is there which had to be protected.</summary>
    public Action<TreeItem, TransferProgress> Begins { get; init; } = (_, _) => { };

    /// <summary>An upload that had begun was stopped, and nothing of it is left.</summary>
    public Action<TreeItem> TakesBack { get; init; } = _ => { };

    /// <summary>One has ended.</summary>
    public Action<TreeOutcome> Ended { get; init; } = _ => { };

    /// <summary>Something is left out on purpose: path and reason, a sentence.</summary>
    public Action<string> LeavesOut { get; init; } = _ => { };
}

/// <summary>What goes with one run over a tree.</summary>
/// <param name="Settings">How many objects are in flight.</param>
/// <param name="Clock">Time.</param>
/// <param name="Retries">Waits before something is tried again.</param>
/// <param name="Listener">Who is told.</param>
/// <param name="Progress">Counters to keep up to date.</param>
internal sealed record TreeRun(ClientSettings Settings, TimeProvider Clock, Retries Retries, TreeListener Listener, TreeProgress Progress)
{
    /// <summary>No kernel takes a longer path (PATH_MAX), and no XRootD: what goes deeper is a loop.</summary>
    private const int MaxPathBytes = 4096;

    private const int Tries = 3;

    /// <summary>Asks again where a later try may succeed.</summary>
    public async Task<T> RetryingAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            PelicanException failure;
            try
            {
                return await ask();
            }
            catch (PelicanException e) when (e.Retryable && attempt < Tries)
            {
                failure = e;
            }

            await Retries.WaitAsync(attempt, failure, cancellationToken);
        }
    }

    /// <summary>Why a path below the top of a tree is not followed; null when it is.</summary>
    public static PelicanException? TooDeep(string path) => Encoding.UTF8.GetByteCount(path) > MaxPathBytes
        ? new PelicanException(Errors.NotSupported, $"'{path[..Math.Min(path.Length, 80)]}…' is nested too deeply: its path has more than {MaxPathBytes} bytes",
            "This may be a loop: look for links in it, or take it in parts.")
        : null;
}
