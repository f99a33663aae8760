using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// The display of running transfers: one line for one object; for several a line of totals and below it the current
/// ones. Drawn at most ten times a second, and not at all for what is over in a moment.
/// </summary>
internal sealed class ConsoleProgress : IDisposable
{
    private const int MostLines = 8;
    private const int LeastName = 8;

    private static readonly TimeSpan BeforeFirst = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    private readonly ConsoleMessages _messages;
    private readonly Func<(int Columns, int Rows)> _size;
    private readonly TimeProvider _clock;
    private readonly Func<TreeResult?> _tree;
    private readonly long _objects;
    private readonly Lock _lock = new();
    private readonly List<Running> _running = [];
    private readonly ConsoleRate _rate = new();
    private readonly ITimer _timer;
    private long _finished;
    private long _finishedBytes;
    private bool _over;

    /// <summary>Starts the display.</summary>
    /// <param name="messages">Where it appears.</param>
    /// <param name="size">Columns and rows of the terminal, asked at each drawing.</param>
    /// <param name="clock">Time.</param>
    /// <param name="objects">How many objects there will be; with a tree, it knows.</param>
    /// <param name="tree">Counters of the tree that they are from; null when they were named one by one.</param>
    public ConsoleProgress(
        ConsoleMessages messages, Func<(int Columns, int Rows)> size, TimeProvider clock, long objects, TreeProgress? tree = null)
    {
        (_messages, _size, _clock, _objects, _tree) = (messages, size, clock, objects, () => tree?.Now());
        _timer = clock.CreateTimer(_ => Draw(), null, BeforeFirst, Between);
    }

    /// <summary>Begins to show a transfer.</summary>
    public void Add(TransferProgress transfer)
    {
        lock (_lock)
        {
            _running.Add(new Running(transfer));
        }
    }

    /// <summary>Stops showing a transfer.</summary>
    /// <param name="transfer">Ended, well or not.</param>
    /// <param name="bytes">What it adds to the total.</param>
    public void Remove(TransferProgress transfer, long bytes)
    {
        lock (_lock)
        {
            int index = _running.FindIndex(running => running.Transfer == transfer);
            if (index < 0)
            {
                // It failed before it began.
                return;
            }

            // What was there before this run is not speed: it stays out of the count that the rate is made of.
            _finishedBytes += bytes - _running[index].Base;
            _finished++;
            _running.RemoveAt(index);
        }
    }

    /// <summary>Takes the display away.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            _over = true;
            _messages.Show([]);
        }
    }

    private void Draw()
    {
        lock (_lock)
        {
            if (_over)
            {
                return;
            }

            (int columns, int rows) = _size();
            long moved = _finishedBytes;
            foreach (Running running in _running)
            {
                running.Look();
                moved += running.Moved;
            }

            _rate.Add(_clock.GetUtcNow(), moved);
            TreeResult? tree = _tree();
            bool single = tree is null ? _objects == 1 : tree is { TotalsAreFinal: true, TotalObjects: 1 };
            List<string> lines = single ? [.. _running.Select(running => One(running, columns - 1))] : [Totals(moved, tree), .. _running.Select(running => Short(running, columns - 1))];
            // A line that fills the last column may wrap, and the cursor would be lost.
            _messages.Show([.. lines.Take(Math.Clamp(rows - 1, 1, MostLines)).Select(line => ConsoleText.Fit(line, columns - 1))]);
        }
    }

    private string One(Running running, int columns)
    {
        TransferProgress transfer = running.Transfer;
        string rate = _rate.BytesPerSecond is { } speed ? "  " + ConsoleText.Rate(speed) : "";
        string left = _rate.BytesPerSecond is > 0 and { } pace && transfer.Total >= transfer.Bytes
            ? "  " + ConsoleText.Clock(TimeSpan.FromSeconds(Math.Min((transfer.Total - transfer.Bytes) / pace, 359_999))) + " left"
            : "";
        return Named(transfer, "", Amount(transfer) + rate + left, columns);
    }

    private string Totals(long moved, TreeResult? tree)
    {
        string rate = _rate.BytesPerSecond is { } speed ? ", " + ConsoleText.Rate(speed) : "";
        if (tree is null)
        {
            return $"{_finished}/{_objects} objects, {ConsoleText.Size(moved)}{rate}";
        }

        // A plus: more will be found.
        string more = tree.TotalsAreFinal ? "" : "+";
        return $"{tree.Objects + tree.Failed}/{tree.TotalObjects}{more} objects, {ConsoleText.Size(tree.Bytes)}/{ConsoleText.Size(tree.TotalBytes)}{more}{rate}";
    }

    private static string Short(Running running, int columns) => Named(running.Transfer, "  ", Amount(running.Transfer), columns);

    private static string Amount(TransferProgress transfer) => transfer.Total switch
    {
        < 0 => $"  {ConsoleText.Size(transfer.Bytes)}",
        0 => "  0 B",
        _ => $"  {ConsoleText.Size(transfer.Bytes)}/{ConsoleText.Size(transfer.Total)}  {100 * transfer.Bytes / transfer.Total}%",
    };

    // A long name is shortened, and the server left out, rather than the figures.
    private static string Named(TransferProgress transfer, string indent, string figures, int columns)
    {
        string name = ConsoleText.Visible(transfer.Name);
        string all = indent + name + figures + At(transfer);
        return ConsoleText.Width(all) <= columns ? all
            : indent + ConsoleText.Fit(name, Math.Max(columns - indent.Length - ConsoleText.Width(figures), LeastName)) + figures;
    }

    private static string At(TransferProgress transfer) =>
        transfer.Server is { } server ? "  " + ConsoleText.Visible(server) : "";

    /// <summary>A transfer on display, and the bytes it began with.</summary>
    private sealed class Running(TransferProgress transfer)
    {
        public TransferProgress Transfer { get; } = transfer;

        public long Base { get; private set; }

        public long Moved => Math.Max(0, Transfer.Bytes - Base);

        // Until a server is in use, whatever is there is from an earlier run.
        public void Look()
        {
            if (Transfer.Server is null || Transfer.Bytes < Base)
            {
                Base = Transfer.Bytes;
            }
        }
    }
}
