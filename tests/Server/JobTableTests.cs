using System.Net;
using System.Text.Json;
using Pelican.Federation;
using Pelican.Server;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>Jobs from submission to their end, through the socket.</summary>
public sealed class JobTableTests
{
    private static readonly byte[] Small = Bytes.Random(10_000);
    private static readonly byte[] Large = Bytes.Random(5_000_000);

    [Test]
    public async Task Downloads_and_uploads_of_a_job_are_done_in_order(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Small);
        server.Write("b", Large);

        string id = await server.CreateAsync(cancellationToken,
            server.Get("/public/a", "a"), server.Put("b", "/demo/b"), ApiServer.Transfer("copy", server.Url("/demo/b"), server.File("c")));
        JsonElement job = await server.EndAsync(id, cancellationToken);

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(Bytes.AreIn(server.File("a"), Small)).IsTrue();
        await Assert.That(Bytes.AreIn(server.File("c"), Large)).IsTrue();
        JsonElement progress = job.GetProperty("progress");
        await Assert.That(progress.GetProperty("bytes_transferred").GetInt64()).IsEqualTo(Small.Length + (2 * Large.Length));
        await Assert.That(progress.GetProperty("total_bytes").GetInt64()).IsEqualTo(Small.Length + (2 * Large.Length));
        await Assert.That(progress.GetProperty("percentage").GetDouble()).IsEqualTo(100);
        await Assert.That(progress.GetProperty("transfers_completed").GetInt32()).IsEqualTo(3);
        double seconds = (job.GetProperty("completed_at").GetDateTimeOffset() - job.GetProperty("started_at").GetDateTimeOffset()).TotalSeconds;
        double mean = (Small.Length + (2.0 * Large.Length)) * 8 / 1e6 / seconds;
        await Assert.That(progress.GetProperty("transfer_rate_mbps").GetDouble()).IsBetween(mean * 0.99, mean * 1.01);
        await Assert.That(job.GetProperty("transfers")[1].GetProperty("attempts")[0].GetProperty("bytes").GetInt64()).IsEqualTo(Large.Length);
    }

    [Test]
    public async Task A_failed_transfer_does_not_stop_the_others(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Small);

        string id = await server.CreateAsync(cancellationToken, server.Get("/public/none", "x"), server.Get("/public/a", "a"), server.Get("/public/nil", "y"));
        JsonElement job = await server.EndAsync(id, cancellationToken);

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("failed");
        await Assert.That(job.GetProperty("error").GetString()).StartsWith("2 of 3 transfers failed; the first: ");
        await Assert.That(job.GetProperty("error").GetString()).Contains("/public/none");
        await Assert.That(job.GetProperty("transfers")[0].GetProperty("error").GetString()).Contains("/public/none");
        await Assert.That(job.GetProperty("transfers")[1].GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(job.GetProperty("progress").GetProperty("percentage").GetDouble()).IsLessThan(100);
        await Assert.That(Bytes.AreIn(server.File("a"), Small)).IsTrue();
    }

    [Test]
    public async Task A_pipe_is_not_waited_for_and_a_device_is_no_empty_file(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        await PublishedExecutable.RunAsync("mkfifo", [server.File("pipe")]);

        string id = await server.CreateAsync(
            cancellationToken, server.Put("pipe", "/public/pipe"), ApiServer.Transfer("put", "/dev/null", server.Url("/public/null")));
        JsonElement job = await server.EndAsync(id, cancellationToken);

        await Assert.That(job.GetProperty("progress").GetProperty("transfers_failed").GetInt32()).IsEqualTo(2);
        await Assert.That(job.GetProperty("error").GetString()).Contains("is a pipe, a socket or a device");
    }

    [Test]
    public async Task No_more_jobs_run_than_allowed_and_they_start_in_order(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync(maxJobs: 2);
        Gate gate = new();
        for (int i = 0; i < 4; i++)
        {
            server.Federation.Origin.Store($"/public/{i}", Large);
            server.Federation.Cache.Faults.Add("GET", $"/public/{i}", FaultAction.Hold(gate));
        }

        List<string> ids = [];
        for (int i = 0; i < 4; i++)
        {
            ids.Add(await server.CreateAsync(cancellationToken, server.Get($"/public/{i}", $"{i}")));
        }

        await server.SendAsync("GET", $"/jobs/{ids[0]}?wait=60s&since=2", null, cancellationToken);
        await server.SendAsync("GET", $"/jobs/{ids[1]}?wait=60s&since=2", null, cancellationToken);
        JsonElement list = (await server.SendAsync("GET", "/jobs", null, cancellationToken)).Body;
        string[] states = [.. list.GetProperty("jobs").EnumerateArray().Select(j => j.GetProperty("status").GetString()!).Reverse()];
        gate.Open();

        await Assert.That(states).IsEquivalentTo(["running", "running", "pending", "pending"], TUnit.Assertions.Enums.CollectionOrdering.Matching);
        foreach (string id in ids)
        {
            await Assert.That((await server.EndAsync(id, cancellationToken)).GetProperty("status").GetString()).IsEqualTo("completed");
        }

        await Assert.That(server.Jobs.ActiveJobs).IsEqualTo(0);
    }

    [Test]
    public async Task A_stop_pauses_and_a_start_goes_on_from_the_byte_reached(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync(maxJobs: 1);
        server.Federation.Origin.Store("/public/a", Small);
        server.Federation.Origin.Store("/public/b", Large);
        server.Federation.Origin.Store("/public/c", Small);
        Gate gate = new(3_000_000);
        server.Federation.Cache.Faults.Add("GET", "/public/b", FaultAction.Hold(gate), times: 1);
        string first = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"), server.Get("/public/b", "b"));
        string second = await server.CreateAsync(cancellationToken, server.Get("/public/c", "c"));
        await gate.Blocked.WaitAsync(cancellationToken);
        await Expect.UntilAsync(() => server.Jobs.Live(first)?.Moving.Bytes >= 3_000_000
            && Directory.EnumerateFiles(server.Folder, "*.pelican-part.json").Any(), cancellationToken);
        JsonElement before = (await server.SendAsync("GET", $"/jobs/{first}", null, cancellationToken)).Body;

        await server.StopAsync();
        int gets = server.Federation.Cache.Requests.Count(r => r.Is("GET", "/public/a"));
        await server.StartAgainAsync();
        JsonElement after = await server.EndAsync(first, cancellationToken);
        JsonElement other = await server.EndAsync(second, cancellationToken);

        await Assert.That(before.GetProperty("status").GetString()).IsEqualTo("running");
        await Assert.That(after.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(after.GetProperty("created_at").GetString()).IsEqualTo(before.GetProperty("created_at").GetString());
        await Assert.That(after.GetProperty("transfers")[0].GetRawText()).IsEqualTo(before.GetProperty("transfers")[0].GetRawText());
        await Assert.That(other.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(Bytes.AreIn(server.File("b"), Large)).IsTrue();
        Request resumed = server.Federation.Cache.Requests.Last(r => r.Is("GET", "/public/b"));
        await Assert.That(resumed.Headers["Range"]).IsEqualTo($"bytes=3000000-{Large.Length - 1}");
        await Assert.That(server.Federation.Cache.Requests.Count(r => r.Is("GET", "/public/a"))).IsEqualTo(gets);
    }

    [Test]
    public async Task A_cancelled_job_has_stopped_when_the_answer_comes(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Small);
        server.Federation.Origin.Store("/public/b", Large);
        Gate gate = new(1000);
        server.Federation.Cache.Faults.Add("GET", "/public/b", FaultAction.Hold(gate));
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/a", "a"), server.Get("/public/b", "b"), server.Get("/public/a", "c"));
        await gate.Blocked.WaitAsync(cancellationToken);

        (HttpStatusCode status, JsonElement cancelled, _) = await server.SendAsync("DELETE", $"/jobs/{id}", null, cancellationToken);
        JsonElement job = (await server.SendAsync("GET", $"/jobs/{id}", null, cancellationToken)).Body;
        gate.Open();

        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(cancelled.GetProperty("status").GetString()).IsEqualTo("cancelled");
        await Assert.That(cancelled.GetProperty("transfers_cancelled").GetInt32()).IsEqualTo(2);
        await Assert.That(cancelled.GetProperty("transfers_completed").GetInt32()).IsEqualTo(1);
        await Assert.That(server.Jobs.Live(id)).IsNull();
        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("cancelled");
        await Assert.That(job.GetProperty("transfers").EnumerateArray().Select(t => t.GetProperty("status").GetString()!)).IsEquivalentTo(["completed", "cancelled", "cancelled"]);
        (HttpStatusCode again, _, _) = await server.SendAsync("DELETE", $"/jobs/{id}", null, cancellationToken);
        await Assert.That(again).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(File.Exists(server.File("b"))).IsFalse();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_cancelled_download_leaves_no_part(bool tree, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/run/b", Large);
        Gate gate = new(3_000_000);
        server.Federation.Cache.Faults.Add("GET", "/public/run/b", FaultAction.Hold(gate));
        string id = await server.CreateAsync(cancellationToken, tree
            ? server.Get("/public/run?recursive", "run")
            : server.Get("/public/run/b", "b"));
        await Expect.UntilAsync(
            () => Directory.EnumerateFiles(server.Folder, "*.pelican-part.json", SearchOption.AllDirectories).Any(), cancellationToken);

        await server.SendAsync("DELETE", $"/jobs/{id}", null, cancellationToken);
        gate.Open();

        await Assert.That(Directory.EnumerateFiles(server.Folder, "*.pelican-part*", SearchOption.AllDirectories)).IsEmpty();
    }

    [Test]
    public async Task A_cancelled_upload_over_an_object_says_what_may_be_incomplete(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/demo/a", Small);
        server.Write("a", Large);
        Gate gate = new(100_000);
        server.Federation.Origin.Faults.Add("PUT", "/demo/a", FaultAction.HoldUpload(gate));
        (_, JsonElement made, _) = await server.SendAsync(
            "POST", "/jobs", $$"""{"transfers":[{{server.Put("a", "/demo/a")}}],"options":{"overwrite":true} }""", cancellationToken);
        string id = made.GetProperty("job_id").GetString()!;
        await gate.Blocked.WaitAsync(cancellationToken);

        await server.SendAsync("DELETE", $"/jobs/{id}", null, cancellationToken);
        JsonElement job = await server.EndAsync(id, cancellationToken);

        JsonElement transfer = job.GetProperty("transfers")[0];
        await Assert.That(transfer.GetProperty("status").GetString()).IsEqualTo("cancelled");
        await Assert.That(transfer.GetProperty("error").GetString()!).Contains("'/demo/a' had been there before, and may now be incomplete");
    }

    [Test]
    public async Task A_waiting_job_can_be_cancelled(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync(maxJobs: 1);
        server.Federation.Origin.Store("/public/b", Large);
        Gate gate = new();
        server.Federation.Cache.Faults.Add("GET", "/public/b", FaultAction.Hold(gate));
        string running = await server.CreateAsync(cancellationToken, server.Get("/public/b", "b"));
        string waiting = await server.CreateAsync(cancellationToken, server.Get("/public/b", "c"));

        (HttpStatusCode status, _, _) = await server.SendAsync("DELETE", $"/jobs/{waiting}", null, cancellationToken);
        gate.Open();

        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That((await server.EndAsync(running, cancellationToken)).GetProperty("status").GetString()).IsEqualTo("completed");
        JsonElement job = await server.EndAsync(waiting, cancellationToken);
        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("cancelled");
        await Assert.That(job.GetProperty("started_at").ValueKind).IsEqualTo(JsonValueKind.Null);
        await Assert.That(File.Exists(server.File("c"))).IsFalse();
    }

    [Test]
    public async Task A_running_job_shows_how_far_it_is(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/b", Large);
        Gate gate = new(2_500_000);
        server.Federation.Cache.Faults.Add("GET", "/public/b", FaultAction.Hold(gate));
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/b", "b"));
        await Expect.UntilAsync(() => server.Jobs.Live(id) is { Moving: { Bytes: >= 2_500_000, Total: > 0 } }, cancellationToken);

        JsonElement job = (await server.SendAsync("GET", $"/jobs/{id}", null, cancellationToken)).Body;
        JsonElement item = (await server.SendAsync("GET", "/jobs?status=running", null, cancellationToken)).Body.GetProperty("jobs")[0];
        gate.Open();
        await server.EndAsync(id, cancellationToken);

        await Assert.That(job.GetProperty("progress").GetProperty("percentage").GetDouble()).IsEqualTo(50);
        await Assert.That(job.GetProperty("transfers")[0].GetProperty("bytes_transferred").GetInt64()).IsEqualTo(2_500_000);
        await Assert.That(job.GetProperty("transfers")[0].GetProperty("total_bytes").GetInt64()).IsEqualTo(Large.Length);
        await Assert.That(item.GetProperty("bytes_transferred").GetInt64()).IsEqualTo(2_500_000);
    }

    [Test]
    public async Task New_files_have_the_mode_of_the_callers_umask(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Small);

        (_, JsonElement created, _) = await server.SendAsync(
            "POST", "/jobs", $$"""{"transfers":[{{server.Get("/public/a", "a")}}],"options":{"umask":"027"} }""", cancellationToken);
        await server.EndAsync(created.GetProperty("job_id").GetString()!, cancellationToken);

        await Assert.That(File.GetUnixFileMode(server.File("a")))
            .IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }

    [Test]
    public async Task A_token_file_is_read_when_the_transfer_runs_and_the_token_is_kept_nowhere(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/protected/a", Small);
        string token = server.Federation.Issuer.CreateToken("storage.read:/");
        string file = server.Write("token", System.Text.Encoding.ASCII.GetBytes(token));

        (_, JsonElement created, _) = await server.SendAsync(
            "POST", "/jobs", $$"""{"transfers":[{{server.Get("/protected/a", "a")}}],"options":{"token":"{{file}}"} }""", cancellationToken);
        JsonElement job = await server.EndAsync(created.GetProperty("job_id").GetString()!, cancellationToken);
        await server.StopAsync();

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
        byte[] written = await File.ReadAllBytesAsync(server.Database, cancellationToken);
        await Assert.That(written.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(token))).IsEqualTo(-1);
        await server.StartAgainAsync();
    }

    [Test]
    public async Task A_tree_is_downloaded_and_uploaded(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/demo/tree/a", Small);
        server.Federation.Origin.Store("/demo/tree/sub/b", Large);

        string id = await server.CreateAsync(cancellationToken,
            server.Get("/demo/tree", "copy").Replace("}", ",\"recursive\":true}", StringComparison.Ordinal), server.Put("copy", "/demo/again?recursive"));
        JsonElement job = await server.EndAsync(id, cancellationToken);

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(Bytes.AreIn(server.File("copy/a"), Small)).IsTrue();
        await Assert.That(Bytes.AreIn(server.Federation.Origin.FileOf("/demo/again/sub/b"), Large)).IsTrue();
        await Assert.That(job.GetProperty("progress").GetProperty("bytes_transferred").GetInt64()).IsEqualTo(2 * (Small.Length + Large.Length));
        await Assert.That(job.GetProperty("progress").GetProperty("total_bytes").GetInt64()).IsEqualTo(2 * (Small.Length + Large.Length));
    }

    [Test]
    public async Task A_tree_that_is_there_already_completes_without_being_moved(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        Directory.CreateDirectory(server.File("src/sub"));
        server.Write("src/a", Small);
        server.Write("src/sub/b", Large);
        string[] transfers = [server.Put("src", "/demo/tree?recursive"), server.Get("/demo/tree?recursive", "copy")];
        await server.EndAsync(await server.CreateAsync(cancellationToken, transfers), cancellationToken);
        int puts = server.Federation.Origin.Requests.Count(r => r.Method == "PUT");

        string id = await server.CreateAsync(cancellationToken, transfers);
        JsonElement job = await server.EndAsync(id, cancellationToken);

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
        JsonElement progress = job.GetProperty("progress");
        await Assert.That((progress.GetProperty("bytes_transferred").GetInt64(), progress.GetProperty("total_bytes").GetInt64(), progress.GetProperty("transfers_completed").GetInt32()))
            .IsEqualTo((2L * (Small.Length + Large.Length), 2L * (Small.Length + Large.Length), 2));
        await Assert.That(server.Federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(puts);
    }

    [Test]
    public async Task A_tree_that_was_interrupted_goes_on_with_what_is_not_done(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/tree/a", Small);
        server.Federation.Origin.Store("/public/tree/b", Small);
        server.Federation.Origin.Store("/public/tree/c", Large);
        Gate gate = new();
        server.Federation.Cache.Faults.Add("GET", "/public/tree/c", FaultAction.Hold(gate), times: 1);
        string id = await server.CreateAsync(cancellationToken, server.Get("/public/tree?recursive", "copy"));
        await gate.Blocked.WaitAsync(cancellationToken);
        await Expect.UntilAsync(() => File.Exists(server.File("copy/a")) && File.Exists(server.File("copy/b")), cancellationToken);

        await server.StopAsync();
        await server.StartAgainAsync();
        JsonElement job = await server.EndAsync(id, cancellationToken);

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(Bytes.AreIn(server.File("copy/c"), Large)).IsTrue();
        await Assert.That(server.Federation.Cache.Requests.Count(r => r.Is("GET", "/public/tree/a"))).IsEqualTo(1);
        await Assert.That(server.Federation.Cache.Requests.Count(r => r.Is("GET", "/public/tree/c"))).IsEqualTo(2);
    }

    [Test]
    [Arguments(true, "beginning")]
    [Arguments(true, "nothing")]
    [Arguments(true, "whole")]
    [Arguments(true, "another's")]
    [Arguments(true, "longer")]
    [Arguments(false, "beginning")]
    public async Task What_an_upload_left_when_the_daemon_died_is_its_own_and_anything_else_is_not(bool claimed, string there, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Write("b", Large);
        await server.StopAsync();
        File.Delete(server.Database);
        using (JobStore store = JobStore.Open(server.Database))
        {
            await store.CreateAsync(new NewJob("job", DateTimeOffset.UnixEpoch, null,
                [new TransferRow { Position = 0, Id = "transfer", Operation = "put", Source = server.File("b"), Destination = server.Url("/demo/b") }]));
            RunningJob running = (await store.TakeAsync([], DateTimeOffset.UnixEpoch))!;
            if (claimed)
            {
                await store.ClaimAsync(running.Job.Seq, 0);
            }
        }

        byte[]? found = there switch
        {
            "beginning" => Large[..1_000_000],
            "whole" => Large,
            "another's" => Bytes.Random(10_000, 8),
            "longer" => [.. Large, 1],
            _ => null,
        };
        if (found is not null)
        {
            server.Federation.Origin.Store("/demo/b", found);
        }

        await server.StartAgainAsync();
        JsonElement job = await server.EndAsync("job", cancellationToken);

        bool ours = claimed && there is not ("another's" or "longer");
        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo(ours ? "completed" : "failed");
        await Assert.That(Bytes.AreIn(server.Federation.Origin.FileOf("/demo/b"), ours ? Large : found!)).IsTrue();
        await Assert.That(server.Federation.Origin.Requests.Count(r => r.Method == "PUT")).IsEqualTo(ours && there != "whole" ? 1 : 0);
        await Assert.That(server.Federation.Origin.Requests.Any(r => r.Method == "DELETE")).IsFalse();
    }

    [Test]
    public async Task An_upload_that_was_stopped_and_cleaned_away_claims_nothing(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Write("b", Large);
        Gate gate = new(1_000_000);
        server.Federation.Origin.Faults.Add("PUT", "/demo/b", FaultAction.HoldUpload(gate), times: 1);
        string id = await server.CreateAsync(cancellationToken, server.Put("b", "/demo/b"));
        await gate.Blocked.WaitAsync(cancellationToken);

        await server.StopAsync();
        server.Federation.Origin.Store("/demo/b", []);
        await server.StartAgainAsync();
        JsonElement job = await server.EndAsync(id, cancellationToken);

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("failed");
        await Assert.That(server.Federation.Origin.Load("/demo/b").Length).IsEqualTo(0);
    }

    [Test]
    public async Task Sizes_that_no_number_holds_are_no_fault_of_the_answer(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        await server.StopAsync();
        File.Delete(server.Database);
        using (JobStore store = JobStore.Open(server.Database))
        {
            await store.CreateAsync(new NewJob("job", DateTimeOffset.UnixEpoch, null,
                [.. Enumerable.Range(0, 2).Select(i => new TransferRow { Position = i, Id = $"transfer{i}", Operation = "get", Source = server.Url("/public/none"), Destination = server.File("x") })]));
            RunningJob running = (await store.TakeAsync([], DateTimeOffset.UnixEpoch))!;
            foreach (int i in (int[])[0, 1])
            {
                await store.EndTransferAsync(running.Job.Seq, i, new TransferEnd(JobState.Failed, DateTimeOffset.UtcNow, long.MaxValue, long.MaxValue, "x"), cancelRest: false);
            }
        }

        await server.StartAgainAsync();
        (HttpStatusCode status, JsonElement job, _) = await server.SendAsync("GET", "/jobs/job", null, cancellationToken);
        (HttpStatusCode listed, _, _) = await server.SendAsync("GET", "/jobs", null, cancellationToken);

        await Assert.That((status, listed)).IsEqualTo((HttpStatusCode.OK, HttpStatusCode.OK));
        await Assert.That(job.GetProperty("progress").GetProperty("total_bytes").GetInt64()).IsEqualTo(long.MaxValue);
    }

    [Test]
    [Arguments("/public/a?directread", false)]
    [Arguments("/public?directread&recursive", true)]
    public async Task A_job_waits_for_servers_that_the_director_knew_some_hours_ago(string source, bool tree, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Federation.Origin.Store("/public/a", Small);
        await server.EndAsync(await server.CreateAsync(cancellationToken, server.Get("/public/a", "first")), cancellationToken);
        int asked = 0;
        server.Federation.Director.Faults.Add(new Fault(
            request => request.Path.StartsWith("/public", StringComparison.Ordinal) && Interlocked.Increment(ref asked) <= 10, FaultAction.Answer(404, "No sources found")));

        JsonElement job = await server.EndAsync(await server.CreateAsync(cancellationToken, server.Get(source, "second")), cancellationToken);

        await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
        await Assert.That(asked).IsGreaterThan(10);
        await Assert.That(Bytes.AreIn(server.File(tree ? "second/a" : "second"), Small)).IsTrue();
    }

    [Test]
    public async Task A_server_that_has_no_object_is_asked_once(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync(options: new() { Caches = [Dialect.Xrootd62, Dialect.Xrootd62] });
        server.Federation.Origin.Store("/public/a", Small);
        // The director does not look: it goes on to name the same two.
        server.Federation.Origin.Store("/public/none", Small);
        foreach (Cache cache in server.Federation.Caches)
        {
            cache.Faults.Add("GET", "/public/none", FaultAction.Answer(404));
        }

        await server.EndAsync(await server.CreateAsync(cancellationToken, server.Get("/public/a", "a")), cancellationToken);
        await server.EndAsync(await server.CreateAsync(cancellationToken, server.Get("/public/none", "b")), cancellationToken);

        await Assert.That(server.Federation.Caches.Select(cache => cache.Requests.Count(r => r.Is("GET", "/public/none")))).IsEquivalentTo([1, 1]);
    }

    [Test]
    public async Task An_upload_is_claimed_before_its_first_byte(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        server.Write("b", Large);
        Gate gate = new();
        server.Federation.Origin.Faults.Add("PUT", "/demo/b", FaultAction.HoldUpload(gate));
        string id = await server.CreateAsync(cancellationToken, server.Put("b", "/demo/b"));
        await gate.Blocked.WaitAsync(cancellationToken);

        JobRecord running = (await server.Jobs.FindAsync(id))!;
        gate.Open();
        await server.EndAsync(id, cancellationToken);

        await Assert.That(running.Transfers[0].Claimed).IsTrue();
        await Assert.That(Bytes.AreIn(server.Federation.Origin.FileOf("/demo/b"), Large)).IsTrue();
    }
}
