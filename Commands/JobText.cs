using System.Globalization;
using Pelican.ClientApi;

namespace Pelican.Commands;

/// <summary>Jobs as people read them (specification, Job Management Commands). Times are those of <paramref name="zone"/>.</summary>
/// <param name="zone">The caller's time zone.</param>
internal sealed class JobText(TimeZoneInfo zone)
{
    private const int MostTransfers = 20;

    /// <summary>Of <c>: completed</c>, and the last column.</summary>
    private const int LongestState = 12;

    private const int LeastTransfer = 30;
    private const int LeastName = 8;
    private const double BytesPerMegabit = 125_000;

    /// <summary>What is not over is not shown as if it were.</summary>
    private const double MostUnfinished = 99.9;

    /// <summary>Of the columns that the specification has, and the gap after them.</summary>
    private static readonly int RowWidth = Row("", "", "", "2026-01-01 00:00:00").Length + 2;

    /// <summary>Head of the table of jobs.</summary>
    public static string Head { get; } = Row("JOB ID", "STATUS", "PROGRESS", "CREATED");

    /// <summary>A job in the table.</summary>
    public string Row(JobListItem job) => Row(job.JobId, job.Status, Percent(PercentageOf(job)), Time(job.CreatedAt));

    /// <summary>
    /// The table of jobs. What each moves stands in a further column, cut to what is left of the terminal; where that is too little, in
    /// a line of its own.
    /// </summary>
    /// <param name="jobs">At least one.</param>
    /// <param name="columns">Columns of the terminal; null for no limit.</param>
    public IEnumerable<string> Table(IReadOnlyList<JobListItem> jobs, int? columns)
    {
        int room = (columns - 1 ?? int.MaxValue) - RowWidth;
        bool beside = room >= LeastTransfer;
        yield return beside && jobs.Any(job => job.Source is not null) ? Head.PadRight(RowWidth) + "TRANSFER" : Head;
        foreach (JobListItem job in jobs)
        {
            string row = Row(job);
            if (job.Source is null && job.Label is null)
            {
                yield return row;
            }
            else if (beside)
            {
                yield return row + "  " + What(job, room);
            }
            else
            {
                yield return row;
                yield return "  " + What(job, (columns ?? int.MaxValue) - 3);
            }
        }
    }

    // "label: get osdf:///a/b -> /tmp/b and 2 more"
    private static string What(JobListItem job, int columns)
    {
        string label = job.Label is null ? "" : ConsoleText.Fit(ConsoleText.Visible(job.Label), Math.Max(columns / 3, LeastTransfer / 3)) + (job.Source is null ? "" : ": ");
        string more = job.TransfersTotal > 1 ? string.Create(CultureInfo.InvariantCulture, $" and {job.TransfersTotal - 1} more") : "";
        return job.Source is not { } source ? label
            : label + Way($"{job.Operation} ", source, job.Destination, columns - ConsoleText.Width(label + more)) + more;
    }

    // Both ends, each shortened to its share of the room; what one does not need, the other has.
    private static string Way(string verb, string source, string? destination, int columns)
    {
        (string from, string to) = (ConsoleText.Visible(source), ConsoleText.Visible(destination ?? ""));
        string arrow = destination is null ? "" : " -> ";
        int room = Math.Max(columns - ConsoleText.Width(verb + arrow), 2 * LeastName);
        int wanted = ConsoleText.Width(from), other = ConsoleText.Width(to);
        int first = Math.Max(room / 2, room - other);
        int second = Math.Max(room - wanted, room - first);
        return verb + ConsoleText.FitPath(from, first) + arrow + ConsoleText.FitPath(to, second);
    }

    /// <summary>How far a job is, in one short line.</summary>
    public static string Progress(JobStatus job) => string.Create(CultureInfo.InvariantCulture,
        $"{job.Status}: {Bytes(job.Progress)}, {ConsoleText.Rate(job.Progress.TransferRateMbps * BytesPerMegabit)}, {job.Progress.TransfersCompleted}/{job.Progress.TransfersTotal} transfers");

    /// <summary>All that there is to say about a job, lines of <c>Name: value</c>, then what it moves.</summary>
    /// <param name="job">The job.</param>
    /// <param name="columns">Columns of the terminal; null for no limit.</param>
    public IEnumerable<string> Status(JobStatus job, int? columns)
    {
        JobProgress progress = job.Progress;
        yield return $"Job ID: {job.JobId}";
        yield return $"Status: {job.Status}";
        yield return $"Created: {Time(job.CreatedAt)}";
        if (job.StartedAt is { } started)
        {
            yield return $"Started: {Time(started)}";
        }

        if (job.CompletedAt is { } completed)
        {
            yield return $"Completed: {Time(completed)}";
        }

        yield return $"Progress: {Bytes(progress)}";
        yield return string.Create(CultureInfo.InvariantCulture, $"Transfer Rate: {progress.TransferRateMbps:0.0} Mbps");
        yield return string.Create(CultureInfo.InvariantCulture,
            $"Transfers: {progress.TransfersCompleted}/{progress.TransfersTotal} completed, {progress.TransfersFailed} failed");
        if (job.Error is { } error)
        {
            yield return $"Error: {error}";
        }

        if (job.Label is { } label)
        {
            yield return $"Label: {label}";
        }

        foreach (TransferStatus transfer in job.Transfers.OrderBy(transfer => transfer.Error is null).Take(MostTransfers))
        {
            // What the line about the job says already is not repeated.
            string state = transfer.Error is { } why && job.Error?.EndsWith(why, StringComparison.Ordinal) != true ? why : transfer.Status;
            yield return Way($"  {transfer.Operation} ", transfer.Source, transfer.Destination, (columns ?? int.MaxValue) - LongestState) + $": {state}";
        }

        if (job.Transfers.Count > MostTransfers)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"  and {job.Transfers.Count - MostTransfers} more");
        }
    }

    /// <summary>A percentage, one decimal; 100.0% only when it is.</summary>
    internal static string Percent(double percentage) =>
        string.Create(CultureInfo.InvariantCulture, $"{(percentage < 100 ? Math.Min(percentage, MostUnfinished) : percentage):0.0}%");

    private static string Bytes(JobProgress progress) =>
        $"{Percent(progress.Percentage)} ({ConsoleText.Size(progress.BytesTransferred)} / {ConsoleText.Size(progress.TotalBytes)})";

    // The list has no percentage. Of several transfers some sizes may not be known yet, so that the bytes alone would tell too much.
    private static double PercentageOf(JobListItem job)
    {
        double bytes = job.TotalBytes > 0 ? Math.Min(100.0 * job.BytesTransferred / job.TotalBytes, MostUnfinished) : 0;
        double transfers = job.TransfersTotal > 0 ? 100.0 * job.TransfersCompleted / job.TransfersTotal : 0;
        return job.Status == JobStates.Completed ? 100
            : job.TotalBytes == 0 ? transfers
            : job.TransfersTotal > 1 ? Math.Min(bytes, transfers)
            : bytes;
    }

    private static string Row(string id, string status, string progress, string created) => $"{id,-36}  {status,-9}  {progress,-8}  {created}";

    private string Time(DateTimeOffset time) => ConsoleText.Time(time, zone);
}
