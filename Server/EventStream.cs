using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Pelican.Json;

namespace Pelican.Server;

/// <summary>
/// The events of one job as server-sent events, until it is final: what changed, each with its number as the id, so that a
/// reader who lost the connection, or the server, goes on from there (<c>Last-Event-ID</c>); between changes the progress, without.
/// </summary>
/// <param name="jobs">The jobs.</param>
/// <param name="id">The job.</param>
/// <param name="after">Number of the last event known; null to begin with the state as it is.</param>
internal sealed class EventStream(JobTable jobs, string id, long? after) : IResult
{
    private const string MediaType = "text/event-stream";

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    /// <summary>Whether a request asks for events.</summary>
    public static bool IsWanted(HttpContext context) =>
        context.Request.Headers.Accept.Any(value => value!.Contains(MediaType, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.ContentType = MediaType;
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        if (HttpMethods.IsHead(httpContext.Request.Method))
        {
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, jobs.Stopping);
        try
        {
            // Who knows everything already shall still see at once that the connection stands.
            await response.StartAsync(ended.Token);
            await WriteAsync(response, ended.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The reader left, or the server stops: then the reader comes back with the last id.
        }
    }

    /// <summary>The events of a job after a number, in order: the rows are their log.</summary>
    internal static IEnumerable<(long Number, string Type, JobEvent Event)> Events(JobRecord record, long after)
    {
        string job = record.Job.Id;
        List<(long Number, string Type, JobEvent Event)> events = [Of(1, JobState.Pending)];
        if (record.Job.StartedSequence is { } started)
        {
            events.Add(Of(started, JobState.Running));
        }

        foreach (TransferRow transfer in record.Transfers)
        {
            if (transfer.StartedSequence is { } began)
            {
                events.Add((began, "transfer", new JobEvent(job, JobState.Running.Name(), TransferId: transfer.Id)));
            }

            if (transfer.CompletedSequence is { } ended)
            {
                events.Add((ended, "transfer",
                    new JobEvent(job, transfer.State.Name(), transfer.Error, transfer.Bytes, transfer.TotalBytes, transfer.Id)));
            }
        }

        if (record.Job.CompletedSequence is { } end)
        {
            events.Add(Of(end, record.Job.State, record.Job.Error));
        }

        return events.Where(e => e.Number > after).OrderBy(e => e.Number);

        (long Number, string Type, JobEvent Event) Of(long number, JobState state, string? error = null) => (number, "status",
            state.IsFinal() ? new JobEvent(job, state.Name(), error, record.Job.Bytes, record.Job.TotalBytes) : new JobEvent(job, state.Name()));
    }

    private async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        using JobWatchers.Watch watch = jobs.Watch(id);
        long known = after ?? 0;
        long written = jobs.Clock.GetTimestamp();
        (long, long) shown = (0, 0);
        for (bool first = after is null; ; first = false)
        {
            if (await jobs.FindAsync(id) is not { } record)
            {
                // Removed meanwhile.
                return;
            }

            StringBuilder text = new();
            if (first)
            {
                known = Math.Max(0, StatusNumber(record.Job) - 1);
            }

            foreach ((long number, string type, JobEvent what) in Events(record, known))
            {
                Append(text, type, what, number);
                known = number;
            }

            await FlushAsync();
            if (record.Job.State.IsFinal())
            {
                return;
            }

            while (!await watch.ChangedAsync(jobs.Live(id) is null ? KeepAlive : ProgressInterval, jobs.Clock, cancellationToken))
            {
                if (jobs.Live(id)?.Sum is { } sum && sum != shown)
                {
                    Append(text, "progress", new JobEvent(id, BytesTransferred: sum.Bytes, TotalBytes: sum.Total), number: null);
                    shown = sum;
                }
                else if (jobs.Clock.GetElapsedTime(written) >= KeepAlive)
                {
                    text.Append(": keepalive\n\n");
                }

                await FlushAsync();
            }

            async Task FlushAsync()
            {
                if (text.Length > 0)
                {
                    await response.WriteAsync(text.ToString(), cancellationToken);
                    await response.Body.FlushAsync(cancellationToken);
                    written = jobs.Clock.GetTimestamp();
                    text.Clear();
                }
            }
        }
    }

    // Number of the change that made the job's state what it is.
    private static long StatusNumber(JobRow job) => job.CompletedSequence ?? job.StartedSequence ?? 1;

    private static void Append(StringBuilder text, string type, JobEvent what, long? number)
    {
        if (number is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"id: {number}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"event: {type}\ndata: {JsonSerializer.Serialize(what, PelicanJson.Output.JobEvent)}\n\n");
    }
}
