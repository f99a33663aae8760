using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Pelican.Commands;
using Pelican.Tests.Support;

namespace Pelican.Tests.Commands;

/// <summary><c>pelican job</c> against answers from a script: what is printed, and how it ends.</summary>
public sealed class JobCommandsTests
{
    private const string Id = "550e8400-e29b-41d4-a716-446655440000";

    private const string Block = $"""
        Job ID: {Id}
        Status: running
        Created: 2025-10-29 10:30:00
        Started: 2025-10-29 10:30:01
        Progress: 45.2% (4.7 MB / 10.4 MB)
        Transfer Rate: 8.5 Mbps
        Transfers: 1/2 completed, 0 failed

        """;

    [Test]
    [Arguments("job", "status", Id)]
    [Arguments("job", "list")]
    [Arguments("job", "wait", Id)]
    [Arguments("job", "cancel", Id)]
    [Arguments("job", "prune", "--older-than", "0")]
    [Arguments("object", "get", "--async", "osdf:///a/b", "b")]
    public async Task Without_a_server_nothing_is_done_but_to_say_how_to_start_one(params string[] arguments)
    {
        using TestShell shell = Shell();

        ShellResult result = await shell.RunAsync(["-q", .. arguments]);

        await Assert.That(result).IsEqualTo(
            new ShellResult(12, "", "Error: Client API server is not running\nStart it with 'pelican client-api serve'\n"));
    }

    [Test]
    [Arguments("--start", "")]
    [Arguments("--quiet", "1")]
    public async Task A_server_that_is_not_running_is_started_once_and_asked_again(string flag, string variable)
    {
        using TestShell shell = Shell();
        ScriptedApi? api = null;
        List<string> started = [];
        shell.Variables["PELICAN_CLIENT_API_AUTOSTART"] = variable;
        shell.With = world => world with
        {
            RunSelf = async (arguments, _) =>
            {
                started.Add(string.Join(' ', arguments));
                api = await ScriptedApi.StartAsync(shell.File("t"), _ => new ApiAnswer(200, ScriptedApi.Job("running")));
                return new OwnRun(0, "");
            },
        };

        shell.Write("c.yaml", "");
        ShellResult result = await shell.RunAsync("job", "status", "--socket", "t", "--config", "c.yaml", Id, flag);
        await api!.DisposeAsync();

        await Assert.That(result).IsEqualTo(new ShellResult(0, Block, ""));
        await Assert.That(started).IsEquivalentTo([$"client-api serve --socket {shell.File("t")} --config {shell.File("c.yaml")}"]);
    }

    [Test]
    public async Task Why_a_server_does_not_start_is_told()
    {
        using TestShell shell = Shell();
        shell.With = world => world with { RunSelf = (_, _) => Task.FromResult(new OwnRun(10, "Error: no space\nFree some.\n")) };

        ShellResult result = await shell.RunAsync("job", "list", "--start");

        await Assert.That(result).IsEqualTo(new ShellResult(
            12, "", "Error: Client API server is not running\nIt could not be started: Error: no space; Free some.\n"));
    }

    [Test]
    public async Task Status_is_told_as_the_specification_has_it()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, ScriptedApi.Job("running")));

        ShellResult result = await shell.RunAsync("job", "status", Id);

        await Assert.That(result).IsEqualTo(new ShellResult(0, Block, ""));
    }

    [Test]
    public async Task Times_are_those_of_the_caller()
    {
        using TestShell shell = Shell();
        FakeTimeProvider clock = new();
        clock.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromHours(-5), "x", "x"));
        shell.With = world => world with { Clock = clock };
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, ScriptedApi.Job("running")));

        ShellResult result = await shell.RunAsync("job", "status", Id);

        await Assert.That(result.Output).Contains("\nCreated: 2025-10-29 05:30:00\n");
    }

    [Test]
    public async Task What_went_wrong_is_told_with_the_status()
    {
        using TestShell shell = Shell();
        string job = ScriptedApi.Job("failed", 1, """
            , "completed_at": "2025-10-29T10:31:00Z", "error": "1 of 2 transfers failed: no \u001b[2Jroom", "transfers": [{"transfer_id": "1", "job_id": "2",
            "operation": "get", "source": "osdf:///a", "destination": "/tmp/a", "status": "failed", "created_at": "2025-10-29T10:30:00Z", "error": "no room"}]
            """);
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, job));

        ShellResult result = await shell.RunAsync("job", "status", Id);

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(result.Output).Contains("\nStarted: 2025-10-29 10:30:01\nCompleted: 2025-10-29 10:31:00\nProgress: ");
        await Assert.That(result.Output).EndsWith(
            "\nError: 1 of 2 transfers failed: no \\x1b[2Jroom\n  get osdf:///a -> /tmp/a: no room\n");
    }

    [Test]
    public async Task For_programs_there_is_the_answer_itself()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, ScriptedApi.Job("running")));

        ShellResult result = await shell.RunAsync("job", "status", "--json", Id);

        await Assert.That(result.Output.TrimEnd()).DoesNotContain("\n");
        await Assert.That(result.Output).StartsWith($$"""{"job_id":"{{Id}}","status":"running","created_at":"2025-10-29T10:30:00Z",""");
        await Assert.That(result.Output).Contains("\"progress\":{\"bytes_transferred\":4700000,");
    }

    [Test]
    [Arguments("completed", 0)]
    [Arguments("failed", JobEnd.Failed)]
    [Arguments("cancelled", JobEnd.Cancelled)]
    public async Task Watching_ends_as_the_job_does(string end, int status)
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, ScriptedApi.Job(end)));

        ShellResult result = await shell.RunAsync("job", "status", "--watch", Id);

        await Assert.That(result.Status).IsEqualTo(status);
        await Assert.That(result.Output).IsEqualTo(Block.Replace("running", end, StringComparison.Ordinal));
    }

    [Test]
    public async Task Watching_looks_every_two_seconds_and_draws_over_what_it_drew(CancellationToken cancellationToken)
    {
        using TestShell shell = Shell();
        NotingClock clock = new();
        shell.With = world => world with { Clock = clock, OutputIsTerminal = true };
        int asked = 0;
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            shell.File("s"), _ => new ApiAnswer(200, Interlocked.Increment(ref asked) < 4 ? ScriptedApi.Job("running") : ScriptedApi.Job("completed", 2)));

        Task<ShellResult> watching = shell.RunAsync("job", "status", "--watch", Id);
        while (!watching.IsCompleted)
        {
            cancellationToken.ThrowIfCancellationRequested();
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        ShellResult result = await watching;
        const string clear = "\e[H\e[2J";
        await Assert.That(result.Output).IsEqualTo(clear + Block + clear + Block + clear + Block + clear + Block.Replace("running", "completed", StringComparison.Ordinal));
        await Assert.That(api.Requests.Skip(1).Select(request => request.Line).Distinct()).IsEquivalentTo([$"GET /api/v1/xfer/jobs/{Id}?wait=2s&since=1"]);
        // This server does not make clients wait, so the client does; between two drawings at least a tenth of a second.
        await Assert.That(clock.Waits.Where(wait => wait < TimeSpan.FromSeconds(60)).Select(wait => Math.Round(wait.TotalSeconds, 1))).IsEquivalentTo([0.1, 2.0, 2.0]);
    }

    [Test]
    public async Task Jobs_are_a_table()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, $$"""
            {"jobs": [
              {"job_id": "{{Id}}", "status": "completed", "created_at": "2025-10-29T10:30:00Z", "transfers_completed": 2, "transfers_total": 2,
               "bytes_transferred": 5, "total_bytes": 5},
              {"job_id": "661f9511-f3ac-52e5-b827-557766551111", "status": "running", "created_at": "2025-10-29T10:35:00Z", "transfers_completed": 0,
               "transfers_total": 1, "bytes_transferred": 452, "total_bytes": 1000}
            ], "total": 57, "limit": 2, "offset": 10}
            """));

        ShellResult result = await shell.RunAsync("job", "list", "--status", "running", "--limit", "2", "--offset", "10");

        await Assert.That(result).IsEqualTo(new ShellResult(0, $"""
            JOB ID                                STATUS     PROGRESS  CREATED
            {Id}  completed  100.0%    2025-10-29 10:30:00
            661f9511-f3ac-52e5-b827-557766551111  running    45.2%     2025-10-29 10:35:00

            """, "Showing 11-12 of 57 jobs\n"));
        await Assert.That(api.Requests.Single().Line).IsEqualTo("GET /api/v1/xfer/jobs?status=running&limit=2&offset=10");
    }

    [Test]
    [Arguments(null, "  TRANSFER\n", "  night run: get osdf:///ospool/ap20/data/run1.dat -> /home/me/data/run1.dat and 1 more\n$")]
    [Arguments(140, "  TRANSFER\n", "[0-9]  night run: get osdf[^ ]*…/run1.dat -> /hom[^ ]*…/run1.dat and 1 more\n$")]
    [Arguments(80, "CREATED\n", "\n  night run: get osdf:///[^ ]*…/run1.dat -> /home/me/data/run1.dat and 1 more\n$")]
    [Arguments(60, "CREATED\n", "\n  night run: get os[^ ]*…/run1.dat -> /h[^ ]*…/run1.dat and 1 more\n$")]
    public async Task What_a_job_moves_follows_in_the_list_as_the_terminal_has_room(int? columns, string head, string transfer)
    {
        using TestShell shell = Shell();
        shell.With = world => world with { OutputIsTerminal = columns is not null, TerminalSize = () => (columns ?? 80, 24) };
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, $$"""
            {"jobs": [
              {"job_id": "{{Id}}", "status": "completed", "created_at": "2025-10-29T10:30:00Z", "transfers_completed": 2, "transfers_total": 2,
               "bytes_transferred": 5, "total_bytes": 5, "label": "night run", "operation": "get", "source": "osdf:///ospool/ap20/data/run1.dat",
               "destination": "/home/me/data/run1.dat"}
            ], "total": 1, "limit": 10, "offset": 0}
            """));

        ShellResult result = await shell.RunAsync("job", "list");

        await Assert.That(result.Output).Contains(head).And.Contains($"\n{Id}  completed  100.0%    2025-10-29 10:30:00");
        await Assert.That(result.Output).Matches(transfer);
        await Assert.That(result.Output.Split('\n').Where(line => columns is not null && ConsoleText.Width(line) > Math.Max(columns.Value, 80))).IsEmpty();
    }

    [Test]
    public async Task Status_goes_on_with_label_and_transfers()
    {
        using TestShell shell = Shell();
        string job = ScriptedApi.Job("failed", 1, """
            , "label": "night run", "error": "1 of 2 transfers failed; the first: no room", "transfers": [
            {"transfer_id": "1", "job_id": "2", "operation": "get", "source": "osdf:///a", "destination": "/tmp/a", "status": "completed", "created_at": "2025-10-29T10:30:00Z"},
            {"transfer_id": "2", "job_id": "2", "operation": "get", "source": "osdf:///b", "destination": "/tmp/b", "status": "failed", "created_at": "2025-10-29T10:30:00Z", "error": "no room"}]
            """);
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, job));

        ShellResult result = await shell.RunAsync("job", "status", Id);

        await Assert.That(result.Output).EndsWith("\nTransfers: 1/2 completed, 0 failed\nError: 1 of 2 transfers failed; the first: no room\nLabel: night run\n"
            + "  get osdf:///b -> /tmp/b: failed\n  get osdf:///a -> /tmp/a: completed\n");
    }

    [Test]
    public async Task On_a_narrow_terminal_the_line_of_progress_is_cut()
    {
        using TestShell shell = Shell();
        shell.With = world => world with { ErrorIsTerminal = true, TerminalSize = () => (40, 24) };
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, ScriptedApi.Job("completed")));

        ShellResult result = await shell.RunAsync("job", "wait", Id);

        await Assert.That(result.Error).Contains("completed: 45.2% (4.7 MB / 10.4 MB), 1…\e[K");
    }

    [Test]
    public async Task Ten_jobs_are_listed_when_nothing_is_said()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            shell.File("s"), _ => new ApiAnswer(200, """{"jobs": [], "total": 0, "limit": 10, "offset": 0}"""));

        ShellResult text = await shell.RunAsync("job", "list");
        ShellResult json = await shell.RunAsync("job", "list", "--json");

        await Assert.That(text).IsEqualTo(new ShellResult(0, "No jobs found\n", ""));
        await Assert.That(json.Output).IsEqualTo("""{"jobs":[],"total":0,"limit":10,"offset":0}""" + "\n");
        await Assert.That(api.Requests.First().Line).IsEqualTo("GET /api/v1/xfer/jobs?limit=10&offset=0");
    }

    [Test]
    [Arguments("there is no state 'runing'; is 'running' meant?", "job", "list", "--status", "runing")]
    [Arguments("--limit '0' is not a whole number from 1 on", "job", "list", "--limit", "0")]
    [Arguments("--offset 'x' is not a whole number from 0 on", "job", "list", "--offset", "x")]
    [Arguments("no job id provided", "job", "status")]
    [Arguments("no job id provided", "job", "cancel", "")]
    [Arguments("there is no state 'done'", "job", "list", "--status", "failed,done")]
    [Arguments("one job at a time: 'b' is too many", "job", "status", "a", "b")]
    [Arguments("--timeout goes with --watch", "job", "status", "a", "--timeout", "1")]
    [Arguments("'..' is not the id of a job", "job", "cancel", "..")]
    [Arguments("--timeout 'soon' is not a time", "job", "wait", "a", "--timeout", "soon")]
    [Arguments("the value of --socket is empty", "job", "list", "--socket", "")]
    [Arguments("no age is given", "job", "prune")]
    [Arguments("--older-than '-1d' is not a time", "job", "prune", "--older-than=-1d")]
    [Arguments("--timeout goes with --wait", "object", "get", "--async", "--timeout", "1", "osdf:///a/a", "a")]
    [Arguments("--wait goes with --async", "object", "put", "--wait", "a", "osdf:///a/")]
    [Arguments("--start goes with --async", "object", "get", "--start", "osdf:///a/a", "a")]
    [Arguments("--socket goes with --async", "object", "copy", "--socket", "s", "a", "osdf:///a/")]
    public async Task A_command_line_that_means_nothing_is_refused(string message, params string[] arguments)
    {
        using TestShell shell = Shell();

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Error).StartsWith($"Error: {message}\n");
        await Assert.That(result.Status).IsEqualTo(4);
    }

    [Test]
    public async Task A_job_is_cancelled()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200,
            $$"""{"job_id": "{{Id}}", "status": "cancelled", "message": "Job cancelled", "transfers_cancelled": 1, "transfers_completed": 1}"""));

        ShellResult result = await shell.RunAsync("job", "cancel", Id);

        await Assert.That(result).IsEqualTo(new ShellResult(0, $"Job {Id} cancelled successfully\n", ""));
        await Assert.That(api.Requests.Single().Line).IsEqualTo($"DELETE /api/v1/xfer/jobs/{Id}");
    }

    [Test]
    public async Task A_job_that_cannot_be_cancelled_is_an_error()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            shell.File("s"), _ => new ApiAnswer(409, """{"error": "Job already completed", "code": "CONFLICT"}"""));

        ShellResult result = await shell.RunAsync("job", "cancel", Id);

        await Assert.That(result).IsEqualTo(new ShellResult(8, "", $"Error: job {Id}: Job already completed\n"));
    }

    [Test]
    [Arguments("completed", 0, "Job completed successfully\nTransferred: 4700000 bytes\n", "")]
    [Arguments("failed", JobEnd.Failed, "", $"Error: job {Id} failed: 1 of 2\n")]
    [Arguments("cancelled", JobEnd.Cancelled, "", $"Error: job {Id} was cancelled\n")]
    [Arguments("running", JobEnd.GoingOn, "", $"Error: job {Id} is still running; it goes on\n")]
    public async Task Waiting_tells_how_a_job_ended(string end, int status, string output, string error)
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            shell.File("s"), _ => new ApiAnswer(200, ScriptedApi.Job(end, 1, """, "error": "1 of 2" """)));

        ShellResult result = await shell.RunAsync("job", "wait", "--timeout", "0", Id);

        await Assert.That(result).IsEqualTo(new ShellResult(status, output, error));
    }

    [Test]
    [Arguments("completed", "completed", 0)]
    [Arguments("running", "cancelled", JobEnd.Cancelled)]
    [Arguments("cancelled", "failed", JobEnd.Failed)]
    [Arguments("completed", "running", JobEnd.GoingOn)]
    public async Task Of_several_jobs_the_worst_end_counts(string first, string second, int status)
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), request => new ApiAnswer(
            200, ScriptedApi.Job(request.Line.EndsWith("/1", StringComparison.Ordinal) ? first : second)));

        ShellResult result = await shell.RunAsync("job", "wait", "--timeout", "0", "1", "2");

        await Assert.That(result.Status).IsEqualTo(status);
        await Assert.That(api.Requests.Select(request => request.Line)).IsEquivalentTo(["GET /api/v1/xfer/jobs/1", "GET /api/v1/xfer/jobs/2"]);
    }

    [Test]
    public async Task A_job_that_is_not_there_does_not_stop_the_waiting_for_others()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), request => request.Line.EndsWith("/x", StringComparison.Ordinal)
            ? new ApiAnswer(404, """{"error": "Job not found", "code": "NOT_FOUND"}""")
            : new ApiAnswer(200, ScriptedApi.Job("completed")));

        ShellResult result = await shell.RunAsync("job", "wait", "x", Id);

        await Assert.That(result).IsEqualTo(new ShellResult(
            8, $"Waiting for jobs to complete...\nJob {Id} completed successfully\nTransferred: 4700000 bytes\n", "Error: job x: Job not found\n"));
    }

    [Test]
    public async Task A_job_that_cannot_be_cancelled_does_not_keep_the_others_going()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), request => request.Line.EndsWith("/x", StringComparison.Ordinal)
            ? new ApiAnswer(409, """{"error": "Job already completed", "code": "CONFLICT"}""")
            : new ApiAnswer(200, $$"""{"job_id": "{{Id}}", "status": "cancelled", "message": "Job cancelled", "transfers_cancelled": 1, "transfers_completed": 0}"""));

        ShellResult result = await shell.RunAsync("job", "cancel", "x", Id);

        await Assert.That(result).IsEqualTo(new ShellResult(
            8, $"Job {Id} cancelled successfully\n", "Error: job x: Job already completed\n"));
    }

    [Test]
    public async Task Jobs_of_several_states_are_listed_together()
    {
        using TestShell shell = Shell();
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            shell.File("s"), _ => new ApiAnswer(200, """{"jobs": [], "total": 0, "limit": 10, "offset": 0}"""));

        ShellResult result = await shell.RunAsync("job", "list", "--status", "pending,running");

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(Uri.UnescapeDataString(api.Requests.First().Line)).Contains("?status=pending,running&");
    }

    [Test]
    public async Task More_words_than_the_parser_takes_are_refused_for_what_they_are()
    {
        using TestShell shell = Shell();

        ShellResult result = await shell.RunAsync(["job", "wait", .. Enumerable.Repeat("x", 100_001)]);

        await Assert.That(result).IsEqualTo(new ShellResult(
            4, "", "Error: more than 100000 words are too many for one command\nCall pelican several times, as xargs does.\n"));
    }

    [Test]
    public async Task A_file_is_not_taken_for_a_server_that_is_not_running()
    {
        using TestShell shell = Shell();
        shell.Write("s", "text");

        ShellResult result = await shell.RunAsync("job", "list");

        await Assert.That(result).IsEqualTo(new ShellResult(10, "", $"Error: '{shell.File("s")}' is not a socket\nName that of the Client API server.\n"));
    }

    [Test]
    public async Task Jobs_that_are_over_can_be_forgotten()
    {
        using TestShell shell = Shell();
        shell.With = world => world with { Clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 31, 12, 0, 0, TimeSpan.Zero)) };
        await using ScriptedApi api = await ScriptedApi.StartAsync(
            shell.File("s"), _ => new ApiAnswer(200, """{"message": "Old job history pruned", "pruned": 3}"""));

        ShellResult text = await shell.RunAsync("job", "prune", "--older-than", "30d");
        ShellResult json = await shell.RunAsync("job", "prune", "--json", "--older-than", "90");

        await Assert.That(text).IsEqualTo(new ShellResult(0, "Forgot 3 jobs\n", ""));
        await Assert.That(json.Output).IsEqualTo("""{"message":"Old job history pruned","pruned":3}""" + "\n");
        await Assert.That(api.Requests.Select(request => request.Line)).IsEquivalentTo(
        [
            "DELETE /api/v1/xfer/history?older_than=2026-03-01T12%3A00%3A00Z",
            "DELETE /api/v1/xfer/history?older_than=2026-03-31T11%3A58%3A30Z",
        ]);
    }

    [Test]
    public async Task On_a_terminal_waiting_shows_how_far_the_job_is()
    {
        using TestShell shell = Shell();
        shell.With = world => world with { ErrorIsTerminal = true };
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => new ApiAnswer(200, ScriptedApi.Job("completed")));

        ShellResult result = await shell.RunAsync("job", "wait", Id);

        await Assert.That(result.Error).Contains("completed: 45.2% (4.7 MB / 10.4 MB), 1.1 MB/s, 1/2 transfers");
        await Assert.That(result.Error).EndsWith("\r\e[J");
    }

    [Test]
    public async Task An_interrupted_wait_leaves_the_job_alone_and_says_so()
    {
        using TestShell shell = Shell();
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), async (request, aborted) =>
        {
            if (request.Line.Contains("wait=", StringComparison.Ordinal))
            {
                waiting.SetResult();
                await Task.Delay(Timeout.Infinite, aborted);
            }

            return new ApiAnswer(200, ScriptedApi.Job("running"));
        });

        Task<ShellResult> run = shell.RunAsync("job", "wait", Id);
        await waiting.Task;
        shell.Interruption.Raise(2);
        ShellResult result = await run;

        await Assert.That(result).IsEqualTo(new ShellResult(130, "Waiting for job to complete...\n",
            $"Job {Id} goes on without this command; 'pelican job wait {Id}' waits for it again\nInterrupted.\n"));
        await Assert.That(api.Requests.Any(request => request.Line.StartsWith("DELETE", StringComparison.Ordinal))).IsFalse();
    }

    /// <summary>Notes every time that somebody waits for.</summary>
    private sealed class NotingClock : FakeTimeProvider
    {
        public ConcurrentQueue<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Enqueue(dueTime);
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }

    private static TestShell Shell()
    {
        TestShell shell = new();
        shell.Variables["PELICAN_CLIENT_API_SOCKET"] = "s";
        return shell;
    }
}
