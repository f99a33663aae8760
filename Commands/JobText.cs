using System.Globalization;
using Pelican.ClientApi;

namespace Pelican.Commands;

/// <summary>Jobs as people read them (specification, Job Management Commands). Times are those of <paramref name="zone"/>.</summary>
/// <param name="zone">The caller's time zone.</param>
internal sealed class JobText(TimeZoneInfo zone)
{
    private const int MostErrors = 20;

    /// <summary>What is not over is not shown as if it were.</summary>
    private const double MostUnfinished = 99.9;

    private static readonly string[] Units = ["kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>Head of the table of jobs.</summary>
    public static string Head { get; } = Row("JOB ID", "STATUS", "PROGRESS", "CREATED");

    /// <summary>A job in the table.</summary>
    public string Row(JobListItem job) => Row(job.JobId, job.Status, Percent(PercentageOf(job)), Time(job.CreatedAt));

    /// <summary>How far a job is, in one short line.</summary>
    public static string Progress(JobStatus job) => string.Create(CultureInfo.InvariantCulture,
        $"{job.Status}: {Bytes(job.Progress)}, {job.Progress.TransferRateMbps:0.0} Mbps, {job.Progress.TransfersCompleted}/{job.Progress.TransfersTotal} transfers");

    /// <summary>All that there is to say about a job, lines of <c>Name: value</c>.</summary>
    public IEnumerable<string> Status(JobStatus job)
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

        foreach (TransferStatus transfer in job.Transfers.Where(transfer => transfer.Error is not null).Take(MostErrors))
        {
            string way = transfer.Destination is { } destination ? $"{transfer.Source} -> {destination}" : transfer.Source;
            yield return $"  {transfer.Operation} {way}: {transfer.Error}";
        }
    }

    /// <summary>A number of bytes, one decimal: <c>999 B</c>, <c>4.7 MB</c>, <c>10.4 MB</c>; a MB has 10⁶ bytes.</summary>
    internal static string Size(long bytes)
    {
        if (bytes < 1000)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        }

        double amount = bytes / 1000.0;
        int unit = 0;
        // 999.95 would be rounded to 1000.0.
        while (amount >= 999.95 && unit < Units.Length - 1)
        {
            amount /= 1000;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{amount:0.0} {Units[unit]}");
    }

    /// <summary>A percentage, one decimal; 100.0% only when it is.</summary>
    internal static string Percent(double percentage) =>
        string.Create(CultureInfo.InvariantCulture, $"{(percentage < 100 ? Math.Min(percentage, MostUnfinished) : percentage):0.0}%");

    private static string Bytes(JobProgress progress) =>
        $"{Percent(progress.Percentage)} ({Size(progress.BytesTransferred)} / {Size(progress.TotalBytes)})";

    // The list has no percentage: this is how the daemon makes that of a job.
    private static double PercentageOf(JobListItem job) =>
        job.Status == JobStates.Completed ? 100
        : job.TotalBytes > 0 ? Math.Min(100.0 * job.BytesTransferred / job.TotalBytes, MostUnfinished)
        : job.TransfersTotal > 0 ? 100.0 * job.TransfersCompleted / job.TransfersTotal
        : 0;

    private static string Row(string id, string status, string progress, string created) => $"{id,-36}  {status,-9}  {progress,-8}  {created}";

    private string Time(DateTimeOffset time) =>
        TimeZoneInfo.ConvertTime(time, zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
