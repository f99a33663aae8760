using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Pelican.ClientApi;
using Pelican.Federation;
using Pelican.Server;

namespace Pelican.Tests.Server;

/// <summary>
/// <c>kill -9</c> of the daemon at random moments under a mixed load. <c>PELICAN_KILLS</c> says how often (8), <c>PELICAN_SEED</c>
/// repeats the random numbers of a run, though not its moments.
/// </summary>
public sealed class KilledDaemonPublishedTests : IDisposable
{
    private const int JobsAtOnce = 3;
    private const int Piece = 96 * 1024;

    /// <summary>So slow that what the servers have sent has also arrived.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-kill-").FullName;
    private readonly int _kills = Setting("PELICAN_KILLS") ?? 8;
    private readonly Random _random;
    private readonly int _seed;
    private readonly Gate _gate = new();
    private readonly List<(string Remote, long Bytes, int AtCache, int AtOrigin)> _parts = [];
    private long _passed;
    private TaskCompletionSource _back = Done();
    private (long Bytes, TaskCompletionSource Reached) _mark = (long.MaxValue, new TaskCompletionSource());

    public KilledDaemonPublishedTests()
    {
        _seed = Setting("PELICAN_SEED") ?? Environment.TickCount;
        _random = new Random(_seed);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test, Timeout(3_600_000)]
    public async Task Every_acknowledged_job_survives_and_every_byte_is_right(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        string token = federation.Issuer.CreateToken("storage.read:/", TimeSpan.FromHours(2));
        string tokenFile = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(tokenFile, token, cancellationToken);
        Slow(federation);
        KillLoad load = new(federation, _folder, tokenFile, _random);
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation, "--debug", "--max-jobs", "2");
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task passing = PassAsync(over.Token);

        List<Task> submissions = [];
        for (int kill = 0; kill < _kills; kill++)
        {
            LoadJob[] jobs = [.. Enumerable.Range(0, JobsAtOnce).Select(_ => load.Next())];
            Task moment = AfterAsync(_random.NextInt64(jobs.Sum(job => job.Bytes)));
            Task[] these = [.. jobs.Select(job => SubmitAsync(daemon, job, cancellationToken))];
            submissions.AddRange(these);
            // Some of the kills fall into the submission.
            await (kill % 4 == 3 ? Task.WhenAny(these) : moment);
            await CancelOneAsync(daemon, load, kill, cancellationToken);
            Kill(daemon);
            _parts.AddRange(load.Parts().Select(part => (part.Remote, part.Bytes, federation.Cache.Requests.Count(), federation.Origin.Requests.Count())));
            await daemon.StartAgainAsync();
            _back.SetResult();
            await CheckAsync(daemon, load, cancellationToken);
        }

        await Task.WhenAll(submissions);
        await EndAsync(daemon, load, cancellationToken);
        await over.CancelAsync();
        await passing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        await Assert.That(await daemon.StopAsync()).IsEqualTo(0);
        await Assert.That(load.Jobs.Where(job => !job.IsCancelAsked).SelectMany(load.Wrongs)).IsEmpty().Because(Story);
        await CheckStoreAsync(daemon, load);
        await CheckResumedAsync(federation);
        await Assert.That(FilesWith(daemon.Home, token)).IsEmpty();
        await Assert.That(daemon.Said).DoesNotContain(token);
    }

    private string Story => FormattableString.Invariant($"seed {_seed}, {_kills} kills, {_parts.Count} parts left, {_passed} bytes");

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static TaskCompletionSource Done()
    {
        TaskCompletionSource done = new();
        done.SetResult();
        return done;
    }

    private void Slow(TestFederation federation)
    {
        foreach (FederationServer server in (FederationServer[])[federation.Cache, federation.Origin])
        {
            server.Faults.Add(new Fault(request => request.Method == "GET", FaultAction.Hold(_gate)));
            server.Faults.Add(new Fault(request => request.Method == "PUT", FaultAction.HoldUpload(_gate)));
        }
    }

    // Lets bodies through piece by piece, and counts what has passed.
    private async Task PassAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer pace = new(Pace);
        while (await pace.WaitForNextTickAsync(cancellationToken))
        {
            await _gate.Blocked.WaitAsync(cancellationToken);
            _passed += Piece;
            if (_passed >= _mark.Bytes)
            {
                _mark.Reached.TrySetResult();
            }

            _gate.Allow(Piece);
        }
    }

    private void Kill(PublishedDaemon daemon)
    {
        _back = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        daemon.Kill();
    }

    private Task AfterAsync(long bytes)
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _mark = (_passed + bytes, reached);
        return reached.Task;
    }

    // Until it is acknowledged, under one key: whether a kill came before or after the commit, the job is there once.
    private async Task SubmitAsync(PublishedDaemon daemon, LoadJob job, CancellationToken cancellationToken)
    {
        string body = JsonSerializer.Serialize(job.Request, ApiRequest.Types.JobRequest);
        while (true)
        {
            try
            {
                (HttpStatusCode status, JsonElement answer) = await daemon.SendAsync("POST", "/jobs", body, cancellationToken, $"job-{job.Number}");
                await Assert.That(status).IsEqualTo(HttpStatusCode.Created).Because(answer.ToString());
                job.Created = answer.Deserialize(ApiRequest.Types.JobCreated);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                await _back.Task.WaitAsync(cancellationToken);
            }
        }
    }

    private static async Task CancelOneAsync(PublishedDaemon daemon, KillLoad load, int kill, CancellationToken cancellationToken)
    {
        if (kill % 5 == 4 && load.Jobs.LastOrDefault(job => job.Created is not null && job.End is null) is { } victim)
        {
            victim.IsCancelAsked = true;
            (HttpStatusCode status, _) = await daemon.SendAsync("DELETE", $"/jobs/{victim.Created!.JobId}", null, cancellationToken);
            if (status == HttpStatusCode.OK)
            {
                victim.End = await StatusAsync(daemon, victim, cancellationToken);
                await Assert.That(victim.End.Status).IsEqualTo("cancelled");
            }
        }
    }

    private static async Task<JobStatus> StatusAsync(PublishedDaemon daemon, LoadJob job, CancellationToken cancellationToken, string query = "")
    {
        (HttpStatusCode status, JsonElement body) = await daemon.SendAsync("GET", $"/jobs/{job.Created!.JobId}{query}", null, cancellationToken);
        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        return body.Deserialize(ApiRequest.Types.JobStatus)!;
    }

    private async Task CheckAsync(PublishedDaemon daemon, KillLoad load, CancellationToken cancellationToken)
    {
        foreach (LoadJob job in load.Jobs.Where(job => job.Created is not null))
        {
            JobStatus now = await StatusAsync(daemon, job, cancellationToken);
            await Assert.That(now.CreatedAt).IsEqualTo(job.Created!.CreatedAt).Because(Story);
            await Assert.That(now.Transfers.Select(t => (t.TransferId, t.Operation, t.Source, t.Destination)))
                .IsEquivalentTo(job.Created.Transfers.Select(t => (t.TransferId, t.Operation, t.Source, t.Destination))).Because(Story);
            if (job.End is { } end)
            {
                await Assert.That((now.Status, now.CompletedAt, now.Progress)).IsEqualTo((end.Status, end.CompletedAt, end.Progress)).Because(Story);
            }

            job.End = now.CompletedAt is null ? null : now;
        }
    }

    private async Task EndAsync(PublishedDaemon daemon, KillLoad load, CancellationToken cancellationToken)
    {
        foreach (LoadJob job in load.Jobs)
        {
            JobStatus end = await StatusAsync(daemon, job, cancellationToken, "?wait=600s");
            if (job.IsCancelAsked)
            {
                continue;
            }

            int transfers = job.Request.Transfers.Count;
            await Assert.That((end.Status, end.Error)).IsEqualTo(("completed", null)).Because(Story);
            await Assert.That(end.Progress with { TransferRateMbps = 0 }).IsEqualTo(new JobProgress(job.Bytes, job.Bytes, 100, 0, transfers, transfers, 0)).Because(Story);
            await Assert.That(end.Transfers.Select(t => (t.Status, t.BytesTransferred)))
                .IsEquivalentTo(end.Transfers.Select(t => ("completed", t.TotalBytes))).Because(Story);
            await Assert.That(end.CreatedAt <= end.StartedAt && end.StartedAt <= end.CompletedAt).IsTrue();
        }

        (_, JsonElement list) = await daemon.SendAsync("GET", "/jobs", null, cancellationToken);
        await Assert.That(list.GetProperty("total").GetInt32()).IsEqualTo(load.Jobs.Count).Because(Story);
    }

    private static async Task CheckStoreAsync(PublishedDaemon daemon, KillLoad load)
    {
        using JobStore store = JobStore.Open(daemon.Database);
        foreach (LoadJob job in load.Jobs)
        {
            JobRecord record = (await store.FindAsync(job.Created!.JobId))!;
            await Assert.That(JsonSerializer.Deserialize(record.Job.Options!, ApiRequest.Types.JobOptions)).IsEqualTo(job.Request.Options);
            await Assert.That(await store.HasObjectsAsync(record.Job.Seq, 0)).IsFalse();
        }
    }

    // The first request for an object after a kill asks for what is missing.
    private async Task CheckResumedAsync(TestFederation federation)
    {
        List<string> restarted = [];
        int resumed = 0;
        foreach ((string remote, long bytes, int atCache, int atOrigin) in _parts)
        {
            Request[] next = [.. federation.Cache.Requests.Skip(atCache).Concat(federation.Origin.Requests.Skip(atOrigin)).Where(r => r.Is("GET", remote)).Take(1)];
            string? range = next.FirstOrDefault()?.Headers["Range"];
            bool goesOn = next.Length == 0 || range?.StartsWith(FormattableString.Invariant($"bytes={bytes}-"), StringComparison.Ordinal) == true;
            resumed += goesOn ? 1 : 0;
            restarted.AddRange(goesOn ? [] : [FormattableString.Invariant($"{remote} from {bytes}: {range}")]);
        }

        Console.WriteLine(FormattableString.Invariant($"{Story}; {resumed} downloads resumed, {restarted.Count} restarted"));
        await Assert.That(restarted).IsEmpty().Because(Story);
    }

    private static IEnumerable<string> FilesWith(string folder, string secret) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.ASCII.GetBytes(secret)) >= 0);
}
