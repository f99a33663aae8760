using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>The transfers of one command.</summary>
internal sealed record TransferPlan
{
    /// <summary>Whether objects go to the federation.</summary>
    public required bool Upload { get; init; }

    /// <summary>Where they come from, as the user wrote it.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>The side that is in the federation, for a source.</summary>
    public required Func<string, string> UrlOf { get; init; }

    /// <summary>Name to show for a source.</summary>
    public required Func<string, string> NameOf { get; init; }

    /// <summary>Moves one.</summary>
    public required Func<string, TransferProgress, CancellationToken, Task<TransferResult>> Move { get; init; }

    /// <summary>Moves all sources with everything in them, instead of <see cref="Move"/>; null when each is one object.</summary>
    public Func<TreeListener, TreeProgress, CancellationToken, Task<TreeResult>>? Tree { get; init; }

    /// <summary>With <c>--dry-run</c>: <see cref="Move"/> moves nothing and returns what it would do.</summary>
    public bool DryRun { get; init; }

    /// <summary>Whether the object itself goes to standard output.</summary>
    public bool ToStandardOutput { get; init; }

    /// <summary>File for statistics, absolute; null for none.</summary>
    public string? StatsFile { get; init; }
}

/// <summary>
/// Runs the transfers of one command: several at once, each reported as it ends, none kept in memory after. One that
/// fails does not stop the others.
/// </summary>
internal sealed class TransferBatch(Session session, TransferPlan plan)
{
    private readonly TransferTally _tally = new(plan.Sources.Count);
    private readonly Lock _lock = new();
    private readonly TreeProgress? _tree = plan.Tree is null ? null : new TreeProgress();
    private readonly HashSet<TransferProgress> _underWay = [];
    private ConsoleProgress? _progress;
    private (string Name, TransferResult Result)? _only;
    private TransferStatsFile? _stats;

    /// <summary>Runs them.</summary>
    /// <returns>Exit status: 0, or that of the worst failure.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        long start = session.World.Clock.GetTimestamp();
        using TransferStatsFile? stats = TransferStatsFile.Create(plan.StatsFile, session.World.NewFileMode());
        _stats = stats;
        try
        {
            using ConsoleProgress? progress = session.ShowsProgress && !(plan.ToStandardOutput && session.World.OutputIsTerminal)
                ? new ConsoleProgress(session.Messages, session.World.TerminalSize, session.World.Clock, plan.Sources.Count, _tree)
                : null;
            _progress = progress;
            await (plan.Tree is { } tree ? tree(Listener(), _tree!, cancellationToken) : EachAsync(cancellationToken));
        }
        finally
        {
            Summary(session.World.Clock.GetElapsedTime(start), cancellationToken.IsCancellationRequested);
            session.Output.Flush();
        }

        stats?.End();
        if (_tally.Retryable)
        {
            session.Messages.Line(ErrorLines.Retryable);
        }

        return _tally.ExitStatus;
    }

    private Task EachAsync(CancellationToken cancellationToken)
    {
        ParallelOptions parallel = new()
        {
            MaxDegreeOfParallelism = session.Configuration.Client.WorkerCount,
            CancellationToken = cancellationToken,
        };
        return Parallel.ForEachAsync(plan.Sources, parallel, async (source, token) => await OneAsync(source, token));
    }

    private void Summary(TimeSpan elapsed, bool interrupted)
    {
        lock (_lock)
        {
            foreach (TransferProgress transfer in interrupted ? _underWay : [])
            {
                _tally.Add(transfer);
            }
        }

        Figures(elapsed);
        if (_tally.Interrupted > 0)
        {
            foreach (string left in _underWay.Select(transfer => transfer.Left).OfType<string>())
            {
                session.Messages.Warning(left);
            }

            session.Summary(ConsoleSummary.Interrupted(plan.Upload, _tally));
        }
    }

    private void Figures(TimeSpan elapsed)
    {
        if (_only is { } only)
        {
            session.Summary(ConsoleSummary.One(plan.Upload, only.Name, only.Result));
        }
        else if (!plan.DryRun && _tree?.Now() is { } tree)
        {
            _tally.Total = tree.TotalObjects;
            session.Summary(ConsoleSummary.Many(_tally, elapsed, tree));
        }
        else if (!plan.DryRun && plan.Sources.Count > 1)
        {
            session.Summary(ConsoleSummary.Many(_tally, elapsed));
        }
    }

    private TreeListener Listener() => new()
    {
        Begins = (_, transfer) => Begin(transfer),
        LeavesOut = session.Messages.Warning,
        Ended = outcome =>
        {
            if (outcome.Progress is { } transfer)
            {
                End(transfer, outcome.Result is { WasThere: false } moved ? moved.Size : transfer.Bytes);
            }

            DateTimeOffset start = session.World.Clock.GetUtcNow() - (outcome.Result?.Elapsed ?? TimeSpan.Zero);
            Record(outcome.Item.Source, outcome.Item.Path.Length == 0, start, outcome.Result, outcome.Failure);
        },
    };

    private async Task OneAsync(string source, CancellationToken cancellationToken)
    {
        DateTimeOffset start = session.World.Clock.GetUtcNow();
        TransferProgress transfer = new() { Name = plan.NameOf(source) };
        Begin(transfer);
        TransferResult? result = null;
        PelicanException? failure = null;
        try
        {
            result = await plan.Move(source, transfer, cancellationToken);
        }
        catch (PelicanException e) when (!session.World.ReaderGone)
        {
            failure = e;
        }

        End(transfer, result?.Size ?? transfer.Bytes);
        Record(source, plan.Sources.Count == 1, start, result, failure);
    }

    private void Begin(TransferProgress transfer)
    {
        lock (_lock)
        {
            _underWay.Add(transfer);
        }

        _progress?.Add(transfer);
    }

    // Not called for what is interrupted: that stays under way.
    private void End(TransferProgress transfer, long bytes)
    {
        lock (_lock)
        {
            _underWay.Remove(transfer);
        }

        _progress?.Remove(transfer, bytes);
    }

    private void Record(string source, bool isOnly, DateTimeOffset start, TransferResult? result, PelicanException? failure)
    {
        lock (_lock)
        {
            if (failure is not null)
            {
                Failed(source, start, failure);
                return;
            }

            Succeeded(source, start, result!);
            if (isOnly && !plan.DryRun)
            {
                _only = (plan.NameOf(source), result!);
            }
        }
    }

    private void Succeeded(string source, DateTimeOffset start, TransferResult result)
    {
        _tally.Add(result);
        if (plan.DryRun)
        {
            if (!result.WasThere)
            {
                Planned(result);
            }

            return;
        }

        if (result.DiffersFromOrigin)
        {
            session.Messages.Warning($"{result.Server} gave an older '{source}' than its origin has by now: --direct asks the origin");
        }

        _stats?.Add(Reports.Stats(_stats.Job, start, plan.UrlOf(source), result with { Attempts = session.Redactor.Redact(result.Attempts) }));
        if (session.Json)
        {
            session.Output.Json(Reports.Of(result with { Attempts = session.Redactor.Redact(result.Attempts) }), PelicanJson.Output.TransferReport);
            session.Output.Flush();
        }
    }

    private void Failed(string source, DateTimeOffset start, PelicanException failure)
    {
        _tally.Add(failure);
        // As the result of one that succeeds.
        string named = plan.Upload ? Path.GetFullPath(source) : source;
        session.Failed(failure, named);
        _stats?.Add(Reports.Stats(_stats.Job, start, plan.UrlOf(source), named, session.Redactor.Redact(failure)));
    }

    private void Planned(TransferResult result)
    {
        string Path(string url) => ObjectUrl.Parse(url, session.Configuration.Client).Path.Decoded;
        PlanReport report = plan.Upload
            ? new("upload", result.Source, Path(result.Destination))
            : new("download", Path(result.Source), result.Destination);
        if (session.Json)
        {
            session.Output.Json(report, PelicanJson.Output.PlanReport);
        }
        else
        {
            session.Output.Line($"{report.Action.ToUpperInvariant()}: {report.Source} -> {report.Destination}");
        }
    }
}
