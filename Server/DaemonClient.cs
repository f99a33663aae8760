using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>How <see cref="DaemonClient.WaitForJobAsync"/> waits.</summary>
internal sealed record JobWait
{
    /// <summary>When to stop waiting; null for never.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Ask at this interval; null to be told by the daemon as soon as something changes.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>The job is known to be there: a daemon that is away from the beginning will come back.</summary>
    public bool Known { get; init; }

    /// <summary>Told of every state that is seen, the last one included.</summary>
    public Action<JobStatus>? Seen { get; init; }

    /// <summary>Told, each time, that the daemon has gone away and is being waited for.</summary>
    public Action? Lost { get; init; }
}

/// <summary>
/// The client end of the Client API: HTTP over the Unix socket. Every fault is a <see cref="PelicanException"/>:
/// <see cref="Errors.ServerNotRunning"/> where nobody listens, <see cref="Errors.ConnectionReset"/> and
/// <see cref="Errors.TimedOut"/> where no answer comes, and what the daemon refuses by its <c>code</c>.
/// </summary>
internal sealed class DaemonClient : IDisposable
{
    /// <summary>State of a job that ended well.</summary>
    public const string Completed = "completed";

    /// <summary>State of a job that ended badly.</summary>
    public const string Failed = "failed";

    /// <summary>State of a job that was cancelled.</summary>
    public const string Cancelled = "cancelled";

    private const string Jobs = "/api/v1/xfer/jobs";
    private const string Files = "/api/v1/xfer/";

    /// <summary>A job may have very many transfers.</summary>
    private const int MostAnswerBytes = 256 * 1024 * 1024;
    private const int MostTries = 6;

    private static readonly TimeSpan HealthLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    /// <summary>For what the daemon has to ask of servers, or to bring to rest.</summary>
    private static readonly TimeSpan WorkLimit = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(500);

    private readonly DaemonConnection _connection;
    private readonly TimeProvider _clock;

    /// <summary>Makes a client; connects to nothing yet.</summary>
    public DaemonClient(DaemonSocket socket, TimeProvider clock)
    {
        _connection = new DaemonConnection(socket, MostAnswerBytes, clock);
        _clock = clock;
    }

    /// <summary>Whether the daemon answers.</summary>
    public async Task<bool> IsServerRunningAsync(CancellationToken cancellationToken)
    {
        try
        {
            await HealthAsync(cancellationToken);
            return true;
        }
        catch (PelicanException)
        {
            return false;
        }
    }

    /// <summary>What the daemon says of itself.</summary>
    public Task<Health> HealthAsync(CancellationToken cancellationToken) =>
        _connection.SendAsync(Get("/health", HealthLimit), PelicanJson.Default.Health, cancellationToken);

    /// <summary>Asks the daemon to end; it answers before it does.</summary>
    public Task<MessageAnswer> ShutdownAsync(CancellationToken cancellationToken) =>
        _connection.SendAsync(new DaemonRequest(HttpMethod.Post, "/shutdown", HealthLimit), PelicanJson.Default.MessageAnswer, cancellationToken);

    /// <summary>
    /// Hands a job over. When the connection breaks before the answer, the same job is sent again under the same key, and
    /// the daemon takes it once.
    /// </summary>
    public async Task<JobCreated> CreateJobAsync(JobRequest job, CancellationToken cancellationToken)
    {
        string key = Guid.NewGuid().ToString("N");
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(job, PelicanJson.Default.JobRequest);
        for (int tries = 1; ; tries++)
        {
            DaemonRequest request = new(HttpMethod.Post, Jobs, AnswerLimit) { Body = body, IdempotencyKey = key };
            try
            {
                return await _connection.SendAsync(request, PelicanJson.Default.JobCreated, cancellationToken);
            }
            catch (PelicanException e) when (tries < MostTries && (e.Row == Errors.ConnectionReset || (tries > 1 && e.Row == Errors.ServerNotRunning)))
            {
                await Task.Delay(ReconnectPause, _clock, cancellationToken);
            }
        }
    }

    /// <summary>State of a job.</summary>
    public Task<JobStatus> GetJobStatusAsync(string id, CancellationToken cancellationToken) =>
        _connection.SendAsync(Get(JobPath(id), AnswerLimit) with { Subject = $"job {id}" }, PelicanJson.Default.JobStatus, cancellationToken);

    /// <summary>
    /// Waits for the end of a job, also while the daemon is restarted: only <see cref="JobWait.Timeout"/> and cancellation end
    /// the waiting before the job.
    /// </summary>
    /// <returns>The last state: a final one, unless the time was over.</returns>
    public async Task<JobStatus> WaitForJobAsync(string id, JobWait wait, CancellationToken cancellationToken)
    {
        long start = _clock.GetTimestamp();
        JobStatus? last = null;
        bool lost = false;
        while (true)
        {
            bool still = false;
            try
            {
                TimeSpan poll = last is null || lost || wait.Every is not null ? TimeSpan.Zero : Least(LongPoll, Left() ?? LongPoll);
                JobStatus next = await PollAsync(id, last?.Sequence, poll, cancellationToken);
                still = last is not null && next.Sequence == last.Sequence;
                (last, lost) = (next, false);
                wait.Seen?.Invoke(next);
            }
            catch (PelicanException e) when ((last is not null || wait.Known) && (e.Retryable || e.Row == Errors.ServerNotRunning))
            {
                if (!lost)
                {
                    wait.Lost?.Invoke();
                }

                lost = true;
                if (last is null && Left() is { } none && none <= TimeSpan.Zero)
                {
                    throw;
                }
            }

            if (last is not null && (IsOver(last.Status) || Left() is { } left && left <= TimeSpan.Zero))
            {
                return last;
            }

            TimeSpan pause = lost ? ReconnectPause : wait.Every ?? Pause(_clock.GetElapsedTime(start), still);
            await Task.Delay(Least(pause, Left() ?? pause), _clock, cancellationToken);
        }

        TimeSpan? Left() => wait.Timeout - _clock.GetElapsedTime(start);
    }

    /// <summary>A page of the jobs, newest first.</summary>
    /// <param name="status">Only jobs in this state; null for all.</param>
    /// <param name="limit">Jobs on the page.</param>
    /// <param name="offset">Jobs to pass over.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<JobList> ListJobsAsync(string? status, int limit, long offset, CancellationToken cancellationToken)
    {
        string filter = status is null ? "" : $"status={Uri.EscapeDataString(status)}&";
        string path = string.Create(CultureInfo.InvariantCulture, $"{Jobs}?{filter}limit={limit}&offset={offset}");
        return _connection.SendAsync(Get(path, AnswerLimit), PelicanJson.Default.JobList, cancellationToken);
    }

    /// <summary>Cancels a job; returns when nothing of it moves any more.</summary>
    public Task<JobCancelled> CancelJobAsync(string id, CancellationToken cancellationToken) => _connection.SendAsync(
        new DaemonRequest(HttpMethod.Delete, JobPath(id), WorkLimit) { Subject = $"job {id}" }, PelicanJson.Default.JobCancelled, cancellationToken);

    /// <summary>What a server says of an object.</summary>
    public Task<StatAnswer> StatAsync(string url, JobOptions? options, CancellationToken cancellationToken) =>
        _connection.SendAsync(Post("stat", new UrlRequest(url, options), PelicanJson.Default.UrlRequest), PelicanJson.Default.StatAnswer, cancellationToken);

    /// <summary>What is in a collection.</summary>
    public Task<ListAnswer> ListAsync(string url, JobOptions? options, CancellationToken cancellationToken) =>
        _connection.SendAsync(Post("list", new UrlRequest(url, options), PelicanJson.Default.UrlRequest), PelicanJson.Default.ListAnswer, cancellationToken);

    /// <summary>Removes an object, or with <paramref name="recursive"/> a collection and all that is in it.</summary>
    public Task<DeleteAnswer> DeleteAsync(string url, bool recursive, JobOptions? options, CancellationToken cancellationToken) =>
        _connection.SendAsync(
            Post("delete", new DeleteRequest(url, recursive, options), PelicanJson.Default.DeleteRequest), PelicanJson.Default.DeleteAnswer, cancellationToken);

    /// <summary>Whether a job or transfer in this state stays in it.</summary>
    public static bool IsOver(string status) => status is Completed or Failed or Cancelled;

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private Task<JobStatus> PollAsync(string id, long? since, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (wait <= TimeSpan.Zero)
        {
            return GetJobStatusAsync(id, cancellationToken);
        }

        string path = string.Create(CultureInfo.InvariantCulture, $"{JobPath(id)}?wait={Math.Ceiling(wait.TotalSeconds)}s&since={since}");
        return _connection.SendAsync(Get(path, wait + AnswerLimit) with { Subject = $"job {id}" }, PelicanJson.Default.JobStatus, cancellationToken);
    }

    // A running job changes many times a second. The longer it has taken, the less a moment more matters. A daemon that
    // answers although nothing has changed cannot make clients wait, and is asked now and then.
    private static TimeSpan Pause(TimeSpan waited, bool unchanged) => unchanged ? ReconnectPause : Least(waited / 10, LongestPause);

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? (a < TimeSpan.Zero ? TimeSpan.Zero : a) : b < TimeSpan.Zero ? TimeSpan.Zero : b;

    private static DaemonRequest Get(string path, TimeSpan limit) => new(HttpMethod.Get, path, limit);

    private static DaemonRequest Post<T>(string operation, T body, JsonTypeInfo<T> type) =>
        new(HttpMethod.Post, Files + operation, WorkLimit) { Body = JsonSerializer.SerializeToUtf8Bytes(body, type) };

    // Dots would be taken for steps in the path, and nothing for the list of all jobs.
    private static string JobPath(string id) => id is "" or "." or ".."
        ? throw new PelicanException(Errors.Parameter, $"'{id}' is not the id of a job", "'pelican job list' shows the ids.")
        : $"{Jobs}/{Uri.EscapeDataString(id)}";
}
