using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Pelican.ClientApi;

/// <summary>How <see cref="ApiClient.WaitForJobAsync(string, JobWait, CancellationToken)"/> waits.</summary>
public sealed record JobWait
{
    /// <summary>When to stop waiting; null for never.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Longest time between two states that are seen; null when only changes matter, which the server tells at once.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>The job is known to be there: a server that is away from the beginning will come back.</summary>
    public bool Known { get; init; }

    /// <summary>Told of every state that is seen, the last one included.</summary>
    public Action<JobStatus>? Seen { get; init; }

    /// <summary>Told, each time, that the server has gone away and is being waited for.</summary>
    public Action? Lost { get; init; }
}

/// <summary>How an <see cref="ApiClient"/> finds its server.</summary>
public sealed record ApiClientOptions
{
    /// <summary>Where the server listens; null for <see cref="ApiSocket.Usual"/>.</summary>
    public ApiSocket? Socket { get; init; }

    /// <summary>Time, for limits and pauses.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>
    /// Starts a server when the first request finds none, and returns why that failed, or null; null to leave starting to
    /// others. A server that was met and went away is not started again: somebody stopped it.
    /// </summary>
    public Func<CancellationToken, Task<string?>>? Start { get; init; }

    /// <summary>
    /// Longest time for which a request may hold the thread that makes it. A program that makes one request and ends is
    /// done sooner when it does not start threads to wait for the answer; zero is right for all others.
    /// </summary>
    public TimeSpan Holds { get; init; }
}

/// <summary>
/// A client of the Client API server: HTTP over its Unix socket. Every failure is an <see cref="ApiException"/>. One
/// instance may be used by many threads.
/// </summary>
/// <example><code>
/// using ApiClient client = new();
/// JobCreated job = await client.CreateJobAsync([new TransferRequest("get", "osdf:///ospool/data/run1.dat", "/scratch/run1.dat")]);
/// JobStatus end = await client.WaitForJobAsync(job.JobId);
/// </code></example>
public sealed class ApiClient : IDisposable
{
    private const string Base = "/api/v1/xfer/";
    private const string Jobs = Base + "jobs";

    private const int MostTries = 6;

    private static readonly TimeSpan HealthLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    /// <summary>For what the server has to ask of others, or to bring to rest.</summary>
    private static readonly TimeSpan WorkLimit = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestDrawn = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(500);

    private readonly ApiConnection _connection;
    private readonly TimeProvider _clock;

    /// <summary>Makes a client; connects to nothing yet.</summary>
    /// <param name="socketPath">Path of the socket; empty for <see cref="ApiSocket.Usual"/>.</param>
    /// <exception cref="ApiException"><see cref="ApiFault.Refused"/>: no socket can have such a path.</exception>
    public ApiClient(string socketPath = "")
        : this(new ApiClientOptions { Socket = socketPath.Length == 0 ? null : ApiSocket.At(Path.GetFullPath(socketPath)) })
    {
    }

    /// <summary>Makes a client; connects to nothing yet.</summary>
    /// <param name="options">How it finds its server.</param>
    /// <exception cref="ApiException"><see cref="ApiFault.Refused"/>: no socket can have the usual path.</exception>
    public ApiClient(ApiClientOptions options)
    {
        _connection = new ApiConnection(options);
        _clock = options.Clock;
    }

    /// <summary>Whether the server answers.</summary>
    public async Task<bool> IsServerRunningAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await HealthAsync(cancellationToken);
            return true;
        }
        catch (ApiException)
        {
            return false;
        }
    }

    /// <summary>What the server says of itself.</summary>
    public Task<Health> HealthAsync(CancellationToken cancellationToken = default) =>
        _connection.SendAsync(Get("/health", HealthLimit), ApiJson.Default.Health, cancellationToken);

    /// <summary>Asks the server to end; it answers before it does.</summary>
    public Task<MessageAnswer> ShutdownAsync(CancellationToken cancellationToken = default) =>
        _connection.SendAsync(new ApiCall(ApiCall.Post, "/shutdown", HealthLimit), ApiJson.Default.MessageAnswer, cancellationToken);

    /// <summary>
    /// Hands a job over. When the connection breaks before the answer, the same job is sent again under the same key, and
    /// the server takes it once.
    /// </summary>
    /// <param name="transfers">What to move; they run one after another.</param>
    /// <param name="options">What goes for all of them; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the exchange; whether the job was taken is not known then.</param>
    public async Task<JobCreated> CreateJobAsync(
        IReadOnlyList<TransferRequest> transfers, JobOptions? options = null, CancellationToken cancellationToken = default)
    {
        string key = Guid.NewGuid().ToString("N");
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new JobRequest(transfers, options), ApiJson.Default.JobRequest);
        for (int tries = 1; ; tries++)
        {
            ApiCall request = new(ApiCall.Post, Jobs, AnswerLimit) { Body = body, IdempotencyKey = key };
            try
            {
                return await _connection.SendAsync(request, ApiJson.Default.JobCreated, cancellationToken);
            }
            catch (ApiException e) when (tries < MostTries && (e.Fault == ApiFault.Broken || (tries > 1 && e.Fault == ApiFault.NotRunning)))
            {
                await Task.Delay(ReconnectPause, _clock, cancellationToken);
            }
        }
    }

    /// <summary>State of a job.</summary>
    public Task<JobStatus> GetJobStatusAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(Get(JobPath(id), AnswerLimit) with { Subject = $"job {id}" }, ApiJson.Default.JobStatus, cancellationToken);

    /// <summary>Waits for the end of a job; see the other overload.</summary>
    /// <param name="id">The job.</param>
    /// <param name="timeout">When to stop waiting; null for never.</param>
    /// <param name="cancellationToken">Ends the waiting, not the job.</param>
    public Task<JobStatus> WaitForJobAsync(string id, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        WaitForJobAsync(id, new JobWait { Timeout = timeout }, cancellationToken);

    /// <summary>
    /// Waits for the end of a job, also while the server is restarted: only <see cref="JobWait.Timeout"/> and cancellation end
    /// the waiting before the job.
    /// </summary>
    /// <returns>The last state: a final one, unless the time was over.</returns>
    public async Task<JobStatus> WaitForJobAsync(string id, JobWait wait, CancellationToken cancellationToken = default)
    {
        long start = _clock.GetTimestamp();
        JobStatus? last = null;
        bool lost = false;
        long asked = start;
        while (true)
        {
            bool still = false;
            try
            {
                TimeSpan poll = last is null || lost ? TimeSpan.Zero : Least(wait.Every ?? LongPoll, Left() ?? LongPoll);
                asked = _clock.GetTimestamp();
                JobStatus next = await PollAsync(id, last?.Sequence, poll, cancellationToken);
                still = last is not null && next.Sequence == last.Sequence;
                (last, lost) = (next, false);
                wait.Seen?.Invoke(next);
            }
            catch (ApiException e) when ((last is not null || wait.Known) && (e.Retryable || e.Fault == ApiFault.NotRunning))
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

            if (last is not null && (JobStates.IsFinal(last.Status) || Left() is { } left && left <= TimeSpan.Zero))
            {
                return last;
            }

            TimeSpan pause = lost ? ReconnectPause
                : still ? Rest(wait.Every, _clock.GetElapsedTime(asked))
                : Pause(_clock.GetElapsedTime(start), wait.Every);
            await Task.Delay(Least(pause, Left() ?? pause), _clock, cancellationToken);
        }

        TimeSpan? Left() => wait.Timeout - _clock.GetElapsedTime(start);
    }

    /// <summary>Makes the server forget jobs that ended before a time.</summary>
    public Task<HistoryPruned> PruneJobsAsync(DateTimeOffset before, CancellationToken cancellationToken = default)
    {
        string time = Uri.EscapeDataString(before.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture));
        return _connection.SendAsync(
            new ApiCall(ApiCall.Delete, $"{Base}history?older_than={time}", WorkLimit), ApiJson.Default.HistoryPruned, cancellationToken);
    }

    /// <summary>A page of the jobs, newest first.</summary>
    /// <param name="status">Only jobs in this state; null for all.</param>
    /// <param name="limit">Jobs on the page.</param>
    /// <param name="offset">Jobs to pass over.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<JobList> ListJobsAsync(string? status = null, int limit = 10, long offset = 0, CancellationToken cancellationToken = default)
    {
        string filter = status is null ? "" : $"status={Uri.EscapeDataString(status)}&";
        string path = string.Create(CultureInfo.InvariantCulture, $"{Jobs}?{filter}limit={limit}&offset={offset}");
        return _connection.SendAsync(Get(path, AnswerLimit), ApiJson.Default.JobList, cancellationToken);
    }

    /// <summary>Cancels a job; returns when nothing of it moves any more.</summary>
    public Task<JobCancelled> CancelJobAsync(string id, CancellationToken cancellationToken = default) => _connection.SendAsync(
        new ApiCall(ApiCall.Delete, JobPath(id), WorkLimit) { Subject = $"job {id}" }, ApiJson.Default.JobCancelled, cancellationToken);

    /// <summary>What a server says of an object.</summary>
    public Task<StatAnswer> StatAsync(string url, JobOptions? options = null, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(Post("stat", new UrlRequest(url, options), ApiJson.Default.UrlRequest), ApiJson.Default.StatAnswer, cancellationToken);

    /// <summary>What is in a collection.</summary>
    public Task<ListAnswer> ListAsync(string url, JobOptions? options = null, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(Post("list", new UrlRequest(url, options), ApiJson.Default.UrlRequest), ApiJson.Default.ListAnswer, cancellationToken);

    /// <summary>Removes an object, or with <paramref name="recursive"/> a collection and all that is in it.</summary>
    public Task<DeleteAnswer> DeleteAsync(string url, bool recursive = false, JobOptions? options = null, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            Post("delete", new DeleteRequest(url, recursive, options), ApiJson.Default.DeleteRequest), ApiJson.Default.DeleteAnswer, cancellationToken);

    /// <summary>Nothing is kept open between requests; whoever disposes stays right should that change.</summary>
    public void Dispose()
    {
    }

    private Task<JobStatus> PollAsync(string id, long? since, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (wait <= TimeSpan.Zero)
        {
            return GetJobStatusAsync(id, cancellationToken);
        }

        string path = string.Create(CultureInfo.InvariantCulture, $"{JobPath(id)}?wait={Math.Ceiling(wait.TotalSeconds)}s&since={since}");
        return _connection.SendAsync(Get(path, wait + AnswerLimit) with { Subject = $"job {id}" }, ApiJson.Default.JobStatus, cancellationToken);
    }

    // A running job changes many times a second. The longer it has taken, the less a moment more matters; and whoever draws
    // what he sees should not have to draw without a pause.
    private static TimeSpan Pause(TimeSpan waited, TimeSpan? every) =>
        every is not null && waited / 10 < ShortestDrawn ? ShortestDrawn : Least(waited / 10, LongestPause);

    // A server that answers although nothing has changed and the time is not over cannot make clients wait: it is asked now and then.
    private static TimeSpan Rest(TimeSpan? every, TimeSpan taken) => every is { } time ? time - taken : ReconnectPause;

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? (a < TimeSpan.Zero ? TimeSpan.Zero : a) : b < TimeSpan.Zero ? TimeSpan.Zero : b;

    private static ApiCall Get(string path, TimeSpan limit) => new(ApiCall.Get, path, limit);

    private static ApiCall Post<T>(string operation, T body, JsonTypeInfo<T> type) =>
        new(ApiCall.Post, Base + operation, WorkLimit) { Body = JsonSerializer.SerializeToUtf8Bytes(body, type) };

    // Dots would be taken for steps in the path, and nothing for the list of all jobs.
    private static string JobPath(string id) => id is "" or "." or ".."
        ? throw ApiException.Invalid($"'{id}' is not the id of a job", "'pelican job list' shows the ids.")
        : $"{Jobs}/{Uri.EscapeDataString(id)}";
}
