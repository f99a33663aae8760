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

    /// <summary>Transfers looked at together: a job may have thousands, of which one runs.</summary>
    private const int Together = 50;

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
        Messages messages = new(response, jobs.Clock);
        long known = after ?? 0;
        int place = 0;
        for (bool first = after is null; ; first = false)
        {
            if (await jobs.FindBegunAsync(id, place, Together) is not { } record)
            {
                // Removed meanwhile.
                return;
            }

            if (first)
            {
                known = Math.Max(0, StatusNumber(record.Job) - 1);
            }

            // They run in order, and so do the numbers of what happens to them: the end of the job comes after the last.
            int ended = record.Transfers.TakeWhile(transfer => transfer.State.IsFinal()).Count();
            bool more = ended == Together;
            place += ended;
            foreach ((long number, string type, JobEvent what) in Events(record, known).Where(e => !more || e.Number != record.Job.CompletedSequence))
            {
                messages.Add(type, what, number);
                known = number;
            }

            await messages.FlushAsync(cancellationToken);
            if (!more && record.Job.State.IsFinal())
            {
                return;
            }

            if (!more)
            {
                await WriteProgressAsync(messages, watch, cancellationToken);
            }
        }
    }

    // Until something changes.
    private async Task WriteProgressAsync(Messages messages, JobWatchers.Watch watch, CancellationToken cancellationToken)
    {
        while (!await watch.ChangedAsync(jobs.Live(id) is null ? KeepAlive : ProgressInterval, jobs.Clock, cancellationToken))
        {
            if (jobs.Live(id)?.Sum is { } sum && sum != messages.Shown)
            {
                messages.Add("progress", new JobEvent(id, BytesTransferred: sum.Bytes, TotalBytes: sum.Total), number: null);
                messages.Shown = sum;
            }
            else if (messages.Silence >= KeepAlive)
            {
                messages.AddKeepAlive();
            }

            await messages.FlushAsync(cancellationToken);
        }
    }

    // Number of the change that made the job's state what it is.
    private static long StatusNumber(JobRow job) => job.CompletedSequence ?? job.StartedSequence ?? 1;

    /// <summary>What is written to one reader.</summary>
    private sealed class Messages(HttpResponse response, TimeProvider clock)
    {
        private readonly StringBuilder _text = new();
        private long _written = clock.GetTimestamp();

        /// <summary>The progress told last.</summary>
        public (long Bytes, long Total) Shown { get; set; }

        /// <summary>Time since anything was written.</summary>
        public TimeSpan Silence => clock.GetElapsedTime(_written);

        public void Add(string type, JobEvent what, long? number)
        {
            if (number is not null)
            {
                _text.Append(CultureInfo.InvariantCulture, $"id: {number}\n");
            }

            _text.Append(CultureInfo.InvariantCulture, $"event: {type}\ndata: {JsonSerializer.Serialize(what, PelicanJson.Output.JobEvent)}\n\n");
        }

        public void AddKeepAlive() => _text.Append(": keepalive\n\n");

        public async Task FlushAsync(CancellationToken cancellationToken)
        {
            if (_text.Length > 0)
            {
                await response.WriteAsync(_text.ToString(), cancellationToken);
                await response.Body.FlushAsync(cancellationToken);
                _written = clock.GetTimestamp();
                _text.Clear();
            }
        }
    }
}
