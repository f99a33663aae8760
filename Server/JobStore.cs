using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>
/// Jobs on the disk: the truth over running and past ones. A change has happened when its task ends; no token stops
/// one, since half a change is none.
/// </summary>
internal sealed partial class JobStore : IDisposable
{
    private const string JobColumns = """
        seq, id, status, created_at, started_at, completed_at, options, error, sequence, started_sequence, completed_sequence,
        transfers_total, transfers_completed, transfers_failed, bytes, total_bytes
        """;

    private const string TransferColumns = """
        position, id, operation, source, destination, recursive, status, started_at, completed_at, started_sequence,
        completed_sequence, bytes, total_bytes, claimed, error, attempts
        """;

    private readonly JobStoreQueue _queue;
    private long _unfinished;

    private JobStore(JobStoreFile file)
    {
        _unfinished = Count(file);
        _queue = new JobStoreQueue(file, Count, unfinished => Volatile.Write(ref _unfinished, unfinished));
    }

    /// <summary>Jobs that are not final.</summary>
    public long Unfinished => Volatile.Read(ref _unfinished);

    /// <summary>Opens the store.</summary>
    /// <param name="path">Absolute path of the database; made if it is not there.</param>
    /// <exception cref="PelicanException">As <see cref="JobStoreFile.Open"/>.</exception>
    public static JobStore Open(string path) => new(JobStoreFile.Open(path, LocalMedium.TypeOf));

    /// <summary>Creates a job, unless its idempotency key has created one before.</summary>
    public Task<Creation> CreateAsync(NewJob job) => _queue.WriteAsync(file =>
    {
        if (job.Key is not null && Earlier(file, job.Key, job.Digest) is { } earlier)
        {
            return earlier;
        }

        file.Execute("""
            INSERT INTO jobs(id, status, created_at, options, transfers_total, idempotency_key, request_digest)
            VALUES ($1, 'pending', $2, $3, $4, $5, $6)
            """, job.Id, Time(job.CreatedAt), job.Options, job.Transfers.Count, job.Key, job.Digest);
        long seq = file.Number("SELECT last_insert_rowid()")!.Value;
        foreach (TransferRow transfer in job.Transfers)
        {
            file.Execute("""
                INSERT INTO transfers(job, position, id, operation, source, destination, recursive, status)
                VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending')
                """, seq, transfer.Position, transfer.Id, transfer.Operation, transfer.Source, transfer.Destination, transfer.Recursive);
        }

        JobRow row = new()
        {
            Seq = seq,
            Id = job.Id,
            State = JobState.Pending,
            CreatedAt = job.CreatedAt,
            Options = job.Options,
            Sequence = 1,
            TransfersTotal = job.Transfers.Count,
        };
        return new Creation(new JobRecord(row, job.Transfers), SameRequest: true, Created: true);
    });

    /// <summary>What an idempotency key led to before; null when it has not been used.</summary>
    public Task<Creation?> FindByKeyAsync(string key, byte[]? digest) => _queue.ReadAsync(file => Earlier(file, key, digest));

    /// <summary>Finds a job; null when there is none of that id.</summary>
    public Task<JobRecord?> FindAsync(string id) => _queue.ReadAsync(file => Find(file, id));

    /// <summary>Finds a job, without its transfers; null when there is none of that id.</summary>
    public Task<JobRow?> FindRowAsync(string id) => _queue.ReadAsync(file => Row(file, id));

    /// <summary>Finds a job, with those among some of its transfers that have begun; null when there is none of that id.</summary>
    /// <param name="id">The job.</param>
    /// <param name="first">Place of the first of these transfers.</param>
    /// <param name="count">How many they are.</param>
    public Task<JobRecord?> FindBegunAsync(string id, int first, int count) => _queue.ReadAsync(file => Row(file, id) is not { } job ? null
        : new JobRecord(job, file.Query(
            $"SELECT {TransferColumns} FROM transfers WHERE job = $1 AND position >= $2 AND position < $3 AND status <> 'pending' ORDER BY position",
            Transfer, job.Seq, first, first + count)));

    /// <summary>Lists jobs, those submitted last first, whatever the clock said then.</summary>
    public Task<JobPage> ListAsync(JobFilter filter) => _queue.ReadAsync(file => List(file, filter, "created_at", "seq DESC"));

    /// <summary>Lists jobs that are final by the time of their end, newest first.</summary>
    public Task<JobPage> HistoryAsync(JobFilter filter) => _queue.ReadAsync(file => List(file, filter, "completed_at", "completed_at DESC, id DESC"));

    /// <inheritdoc/>
    public void Dispose() => _queue.Dispose();

    private static JobRow? Row(JobStoreFile file, string id) =>
        file.Query($"SELECT {JobColumns} FROM jobs WHERE id = $1", Job, id) is [var job] ? job : null;

    private static JobRecord? Find(JobStoreFile file, string id) => Row(file, id) is { } job ? With(file, job) : null;

    private static Creation? Earlier(JobStoreFile file, string key, byte[]? digest) =>
        file.Query("SELECT id, request_digest FROM jobs WHERE idempotency_key = $1", row => (Id: row.GetString(0), Digest: (byte[])row.GetValue(1)), key)
            is [var earlier] ? new Creation(Find(file, earlier.Id)!, earlier.Digest.AsSpan().SequenceEqual(digest), Created: false) : null;

    private static JobRecord With(JobStoreFile file, JobRow job) => new(job,
        file.Query($"SELECT {TransferColumns} FROM transfers WHERE job = $1 ORDER BY position", Transfer, job.Seq));

    // Each state has an index in the order of the list; several are merged, so that a page costs the same however many jobs there are.
    private static JobPage List(JobStoreFile file, JobFilter filter, string time, string order)
    {
        List<object?> arguments = [];
        StringBuilder range = new();
        Restrict($"{time} >= ", filter.From);
        Restrict($"{time} <= ", filter.To);
        bool whole = range.Length == 0;
        string counted = range.ToString();
        object?[] countedArguments = [.. arguments];
        if (filter.After is { } after)
        {
            // Should that job have been removed meanwhile, its time says where it was.
            range.Append(CultureInfo.InvariantCulture, $"""
                 AND seq < ifnull((SELECT seq FROM jobs WHERE id = ${arguments.Count + 1}),
                    (SELECT max(seq) + 1 FROM jobs WHERE created_at <= ${arguments.Count + 2}))
                """);
            arguments.AddRange([after.Id, Time(after.CreatedAt)]);
        }

        IReadOnlyList<JobState>? states = filter.States?.Distinct().Order().ToArray();
        string all = time == "created_at" ? "1" : $"{time} IS NOT NULL";
        string[] sources = states is null ? [$"{all}{range}"] : [.. states.Select(state => $"status = '{state.Name()}' AND {all}{range}")];
        if (sources.Length == 0)
        {
            return new JobPage([], 0, More: false);
        }

        string union = string.Join(" UNION ALL ", sources.Select(where => $"SELECT {JobColumns} FROM jobs WHERE {where}"));
        string page = string.Create(CultureInfo.InvariantCulture,
            $"{union} ORDER BY {order} LIMIT ${arguments.Count + 1} OFFSET ${arguments.Count + 2}");
        List<JobRow> rows = file.Query(page, Job, [.. arguments, filter.Limit + 1, filter.Offset]);
        return new JobPage([.. rows.Take(filter.Limit).Select(job => job with { First = First(file, job) })], Total(), rows.Count > filter.Limit);

        void Restrict(string condition, DateTimeOffset? limit)
        {
            if (limit is { } value)
            {
                arguments.Add(Time(value));
                range.Append(CultureInfo.InvariantCulture, $" AND {condition}${arguments.Count}");
            }
        }

        long Total()
        {
            string[] names = [.. (states ?? Enum.GetValues<JobState>().Where(state => time == "created_at" || state.IsFinal())).Select(s => $"'{s.Name()}'")];
            string these = $"status IN ({string.Join(", ", names)})";
            return whole
                ? file.Number($"SELECT sum(jobs) FROM job_counts WHERE {these}") ?? 0
                : file.Number($"SELECT count(*) FROM jobs WHERE {(states is null ? all : these)}{counted}", countedArguments) ?? 0;
        }
    }

    private static FirstTransfer First(JobStoreFile file, JobRow job) => file.Query(
        "SELECT operation, source, destination FROM transfers WHERE job = $1 AND position = 0",
        row => new FirstTransfer(row.GetString(0), row.GetString(1), TextOrNull(row, 2)), job.Seq)[0];

    private static JobRow Job(SqliteDataReader row) => new()
    {
        Seq = row.GetInt64(0),
        Id = row.GetString(1),
        State = JobStates.Parse(row.GetString(2))!.Value,
        CreatedAt = Time(row.GetInt64(3)),
        StartedAt = TimeOrNull(row, 4),
        CompletedAt = TimeOrNull(row, 5),
        Options = TextOrNull(row, 6),
        Error = TextOrNull(row, 7),
        Sequence = row.GetInt64(8),
        StartedSequence = NumberOrNull(row, 9),
        CompletedSequence = NumberOrNull(row, 10),
        TransfersTotal = row.GetInt32(11),
        TransfersCompleted = row.GetInt32(12),
        TransfersFailed = row.GetInt32(13),
        Bytes = row.GetInt64(14),
        TotalBytes = row.GetInt64(15),
    };

    private static TransferRow Transfer(SqliteDataReader row) => new()
    {
        Position = row.GetInt32(0),
        Id = row.GetString(1),
        Operation = row.GetString(2),
        Source = row.GetString(3),
        Destination = TextOrNull(row, 4),
        Recursive = row.GetBoolean(5),
        State = JobStates.Parse(row.GetString(6))!.Value,
        StartedAt = TimeOrNull(row, 7),
        CompletedAt = TimeOrNull(row, 8),
        StartedSequence = NumberOrNull(row, 9),
        CompletedSequence = NumberOrNull(row, 10),
        Bytes = row.GetInt64(11),
        TotalBytes = row.GetInt64(12),
        Claimed = row.GetBoolean(13),
        Error = TextOrNull(row, 14),
        Attempts = TextOrNull(row, 15),
    };

    private static string? TextOrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static long? NumberOrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static DateTimeOffset? TimeOrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : Time(row.GetInt64(column));

    private static DateTimeOffset Time(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    private static long Time(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static long Count(JobStoreFile file) => file.Number("SELECT sum(jobs) FROM job_counts WHERE status IN ('pending', 'running')") ?? 0;
}
