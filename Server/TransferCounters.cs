using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Counters of a running transfer, be it of one object or of a tree.</summary>
/// <param name="name">What it moves.</param>
internal sealed class TransferCounters(string name)
{
    private volatile TreeProgress? _tree;

    /// <summary>Those of one object.</summary>
    public TransferProgress One { get; } = new() { Name = name };

    /// <summary>Object bytes in place, and how many are wanted; 0 while unknown. Of a tree, what is wanted grows while it is walked.</summary>
    public (long Bytes, long Total) Now => _tree?.Now() is { } tree ? (tree.Bytes, tree.TotalBytes) : (One.Bytes, Math.Max(0, One.Total));

    /// <summary>Those of <see cref="Now"/> that were in place before, and did not move.</summary>
    public long AlreadyBytes => _tree?.Now().AlreadyBytes ?? 0;

    /// <summary>Whether more will be wanted than is known now.</summary>
    public bool Grows => _tree?.Now() is { TotalsAreFinal: false };

    /// <summary>From now on it is a tree that is counted.</summary>
    public TreeProgress CountTree() => _tree = new TreeProgress();
}
