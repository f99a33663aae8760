using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Pelican.ClientApi;
using Pelican.Commands;
using Pelican.Federation;
using Pelican.Json;
using Pelican.Server;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>The server as its user has it: a process that is started, outlives what started it, and ends.</summary>
public sealed class DaemonPublishedTests
{
    private const int Terminate = 15;
    private const int Stop = 19;
    private const string SocketActivation = """
        import os, socket, sys
        s = socket.socket(socket.AF_UNIX)
        s.bind(sys.argv[1])
        s.listen()
        os.dup2(s.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        os.execv(sys.argv[2], sys.argv[2:])
        """;

    [Test]
    public async Task A_command_substitution_returns_with_process_and_socket()
    {
        using ServedHome daemon = new();

        ProgramRun run = await daemon.ShellAsync("out=$(\"$P\" client-api serve); echo \"[$out]\"; exec <&- >&- 2>&-; \"$P\" client-api serve");

        await Assert.That(run).IsEqualTo(new ProgramRun(12, $"[Client API server started (PID: {daemon.Pid})\nSocket: {daemon.File("sock")}]\n", ""));
        await Assert.That((await daemon.RunAsync("status")).Output).IsEqualTo($"Client API server is running (PID: {daemon.Pid})\nSocket: {daemon.File("sock")}\n");
    }

    [Test]
    public async Task It_outlives_the_terminal_and_keeps_nothing_of_it(CancellationToken cancellationToken)
    {
        using ServedHome daemon = new();
        string open = Path.Combine(daemon.Home, "open");

        // script(1) gives it a terminal, which closes when the shell ends; with it goes its session.
        ProgramRun run = await daemon.ShellAsync(
            $"exec 7>{open}; script -qec 'cd {daemon.Home}; \"$P\" client-api serve; tty; kill -HUP 0' /dev/null");
        int process = daemon.Pid;
        string[] stat = (await File.ReadAllTextAsync($"/proc/{process}/stat", cancellationToken)).Split(") ")[1].Split(' ');
        string?[] descriptors = [.. Directory.EnumerateFiles($"/proc/{process}/fd").Select(file => File.ResolveLinkTarget(file, false)?.FullName)];

        await Assert.That(run.Output).Contains("/dev/pts/");
        await Assert.That(ServedHome.Runs(process)).IsTrue();
        await Assert.That((stat[3], stat[4])).IsEqualTo((process.ToString(CultureInfo.InvariantCulture), "0"));
        await Assert.That(new DirectoryInfo($"/proc/{process}/cwd").LinkTarget).IsEqualTo("/");
        await Assert.That(descriptors.Where(path => path is not null && (path == open || path.StartsWith("/dev/pts", StringComparison.Ordinal)))).IsEmpty();
        foreach ((int stream, string target) in ((int, string)[])[(0, "/dev/null"), (1, daemon.File("log")), (2, daemon.File("log"))])
        {
            await Assert.That(new FileInfo($"/proc/{process}/fd/{stream}").LinkTarget).IsEqualTo(target);
        }
    }

    [Test]
    [Arguments("\"$P\" client-api stop")]
    [Arguments("kill $(cat ~/.pelican/client-api.pid)")]
    [Arguments("kill -INT $(cat ~/.pelican/client-api.pid)")]
    [Arguments("curl -s -X POST --unix-socket ~/.pelican/client-api.sock http://localhost/shutdown")]
    [Arguments("\"$P\" client-agent stop --timeout 20s")]
    public async Task However_it_is_ended_the_process_and_its_files_are_gone(string how, CancellationToken cancellationToken)
    {
        using ServedHome daemon = new();
        int process = await daemon.ServeAsync();

        ProgramRun run = await daemon.ShellAsync(how);
        bool waits = how.StartsWith("$P", StringComparison.Ordinal);
        bool gone = !ServedHome.Runs(process);
        await Expect.UntilAsync(() => !ServedHome.Runs(process), cancellationToken);
        ProgramRun status = await daemon.RunAsync("status");

        await Assert.That(run.ExitStatus).IsEqualTo(0);
        await Assert.That(gone || !waits).IsTrue();
        await Assert.That(daemon.Left()).IsEquivalentTo(["client-api.log"]);
        await Assert.That((status.ExitStatus, status.Output)).IsEqualTo((12, "Client API server is not running\n"));
    }

    [Test]
    public async Task With_nothing_to_do_the_process_ends(CancellationToken cancellationToken)
    {
        using ServedHome daemon = new();
        int process = await daemon.ServeAsync("--idle-timeout", "100ms");

        await Expect.UntilAsync(() => !ServedHome.Runs(process), cancellationToken);

        await Assert.That(daemon.Left()).IsEquivalentTo(["client-api.log"]);
    }

    [Test]
    public async Task A_stop_pauses_what_runs_and_ends_what_waits_and_a_second_signal_does_not_wait(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using ServedHome daemon = new() { Environment = { ["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile } };
        byte[] content = Bytes.Random(3_000_000);
        federation.Origin.Store("/public/a", content);
        Gate gate = new(2_000_000);
        federation.Cache.Faults.Add("GET", "/public/a", FaultAction.Hold(gate));
        int process = await daemon.ServeAsync();
        using ApiClient client = new(daemon.File("sock"));
        JobCreated job = await client.CreateJobAsync(
            [new TransferRequest("get", federation.UrlOf("/public/a"), daemon.Home + "/a")], cancellationToken: cancellationToken);
        await gate.Blocked;
        string jobs = $"http://localhost/api/v1/xfer/jobs/{job.JobId}";
        using HttpClient http = new(new SocketsHttpHandler { ConnectCallback = ConnectAsync });
        // Its head comes at once: then the request is under way.
        using HttpResponseMessage events = await http.GetAsync(jobs + "/events", HttpCompletionOption.ResponseHeadersRead, cancellationToken);

        ProgramRun stop = await daemon.RunAsync("stop", "--timeout", "5s");
        gate.Open();
        string told = await events.Content.ReadAsStringAsync(cancellationToken);
        int next = await daemon.ServeAsync();
        JobStatus end = await client.WaitForJobAsync(job.JobId, new JobWait { Known = true }, cancellationToken);

        await Assert.That(stop).IsEqualTo(new ProgramRun(0, $"Client API server stopped (PID: {process})\n", ""));
        await Assert.That(told).Contains("\"running\"").And.DoesNotContain("failed");
        await Assert.That(end.Status).IsEqualTo("completed");
        await Assert.That(Bytes.AreIn(daemon.Home + "/a", content)).IsTrue();

        // A request that waits for a federation holds a stop up for seconds: long enough for a second signal.
        Gate never = new(0);
        federation.Origin.Faults.Add(new Fault(_ => true, FaultAction.Hold(never)));
        Task<ProgramRun> stat = daemon.ProgramAsync("curl", "-s", "--unix-socket", daemon.File("sock"), "-d",
            $$"""{"url":"{{federation.UrlOf("/public/a")}}"}""", "http://localhost/api/v1/xfer/stat");
        await never.Blocked;
        _ = Posix.Kill(next, Terminate);
        await Expect.UntilAsync(() => File.ReadAllText(daemon.File("log")).Contains("a signal came", StringComparison.Ordinal), cancellationToken);
        _ = Posix.Kill(next, Terminate);
        await Expect.UntilAsync(() => !ServedHome.Runs(next), cancellationToken);
        never.Open();
        await stat;

        await Assert.That(File.Exists(daemon.File("pid"))).IsTrue();
        await daemon.ServeAsync();

        async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken token)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(daemon.File("sock")), token);
            return new NetworkStream(socket, ownsSocket: true);
        }
    }

    [Test]
    public async Task One_that_does_not_answer_is_told_apart_and_ended()
    {
        using ServedHome daemon = new();
        int process = await daemon.ServeAsync();
        _ = Posix.Kill(process, Stop);
        // Each thread stops when its turn comes, and until then it may answer.
        while (Directory.GetDirectories($"/proc/{process}/task").Any(task => !File.ReadAllText(task + "/stat").Contains(") T ", StringComparison.Ordinal)))
        {
            await Task.Yield();
        }

        ProgramRun status = await daemon.RunAsync("status");
        ProgramRun stop = await daemon.RunAsync("stop");

        await Assert.That(status.ExitStatus).IsEqualTo(12);
        await Assert.That(status.Error).StartsWith($"Error: Client API server is running (PID: {process}) but does not answer");
        await Assert.That(stop).IsEqualTo(new ProgramRun(0, $"Client API server stopped (PID: {process})\n", ""));
    }

    [Test]
    public async Task A_restart_keeps_the_options_that_it_does_not_change()
    {
        using ServedHome daemon = new();
        int first = await daemon.ServeAsync("--max-jobs", "7", "--idle-timeout", "1h", "--log-file", daemon.Home + "/own.log");

        ProgramRun run = await daemon.RunAsync("restart", "--max-jobs=8");
        InstanceRecord record = Instance.Read(daemon.File("json"))!;

        await Assert.That(run).IsEqualTo(new ProgramRun(0, $"Client API server started (PID: {daemon.Pid})\nSocket: {daemon.File("sock")}\n", ""));
        await Assert.That(daemon.Pid).IsNotEqualTo(first);
        await Assert.That(record.Arguments).IsEquivalentTo(
            ["client-api", "serve", "--idle-timeout=1h", $"--log-file={daemon.Home}/own.log", "--max-jobs=8"]);
        await Assert.That(record.LogFile).IsEqualTo(daemon.Home + "/own.log");
    }

    [Test]
    public async Task A_server_whose_options_cannot_be_found_is_not_restarted_without_them()
    {
        using ServedHome daemon = new();
        string[] files = ["--socket", daemon.Home + "/own.sock", "--pid-file", daemon.Home + "/own.pid"];
        ProgramRun serve = await daemon.RunAsync(["serve", .. files, "--database", daemon.Home + "/own.db"]);

        ProgramRun refused = await daemon.RunAsync("restart", "--socket", daemon.Home + "/own.sock");
        ProgramRun status = await daemon.RunAsync("status", "--socket", daemon.Home + "/own.sock");
        ProgramRun restarted = await daemon.RunAsync(["restart", .. files]);
        string database = Instance.Read(daemon.Home + "/own.json")!.Database;
        ProgramRun stop = await daemon.RunAsync(["stop", .. files, "--timeout", "20"]);

        await Assert.That(refused.ExitStatus).IsEqualTo(4);
        await Assert.That(refused.Error).Contains("Name its --pid-file too");
        await Assert.That(status.Output).IsEqualTo(serve.Output.Replace("started", "is running", StringComparison.Ordinal));
        await Assert.That(restarted.ExitStatus).IsEqualTo(0);
        await Assert.That(database).IsEqualTo(daemon.Home + "/own.db");
        await Assert.That(stop.ExitStatus).IsEqualTo(0);
    }

    [Test]
    public async Task A_server_with_a_socket_of_its_own_is_found_by_what_is_written_about_it()
    {
        using ServedHome daemon = new();
        await daemon.ServeAsync("--socket", daemon.Home + "/own.sock");

        ProgramRun run = await daemon.PelicanAsync("job", "list");

        await Assert.That(run).IsEqualTo(new ProgramRun(0, "No jobs found\n", ""));
    }

    [Test]
    public async Task A_server_beside_another_is_told_whose_database_it_would_share()
    {
        using ServedHome daemon = new();
        int first = await daemon.ServeAsync();

        ProgramRun run = await daemon.RunAsync("serve", "--socket", daemon.Home + "/own.sock", "--pid-file", daemon.Home + "/own.pid");

        await Assert.That(run).IsEqualTo(new ProgramRun(12, "", $"Error: Client API server is already running (PID: {first})\nSocket: {daemon.File("sock")}\n"));
    }

    [Test]
    public async Task A_file_is_no_server_that_brings_transfers_to_rest()
    {
        using ServedHome daemon = new();

        ProgramRun run = await daemon.RunAsync("status", "--socket", "/etc/passwd");

        await Assert.That(run).IsEqualTo(new ProgramRun(12, "", "Error: '/etc/passwd' is not a socket\nName that of the Client API server.\n"));
    }

    [Test]
    public async Task Systemd_can_have_the_socket_and_learns_when_it_is_ready(CancellationToken cancellationToken)
    {
        using ServedHome daemon = new();
        Directory.CreateDirectory(daemon.Home + "/.pelican", (UnixFileMode)0b111_000_000);
        using Socket notices = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notices.Bind(new UnixDomainSocketEndPoint(daemon.Home + "/notices"));
        daemon.Environment["NOTIFY_SOCKET"] = daemon.Home + "/notices";

        Task<ProgramRun> serving = daemon.ProgramAsync(
            "python3", "-c", SocketActivation, daemon.File("sock"), daemon.Executable, "client-api", "serve", "--foreground");
        byte[] notice = new byte[100];
        int length = await notices.ReceiveAsync(notice, cancellationToken);
        ProgramRun status = await daemon.RunAsync("status");
        ProgramRun second = await daemon.RunAsync("serve");
        ProgramRun stop = await daemon.RunAsync("stop");
        ProgramRun served = await serving;

        await Assert.That(notice[..length]).IsEquivalentTo("READY=1\n"u8.ToArray());
        await Assert.That((status.ExitStatus, second.ExitStatus, stop.ExitStatus, served.ExitStatus)).IsEqualTo((0, 12, 0, 0));
        await Assert.That(served.Output).StartsWith("Client API server is running (PID: ");
        await Assert.That(served.Error).Contains(" info Daemon: Client API server ");
        // The second one opened the log that it would have had.
        await Assert.That(daemon.Left()).IsEquivalentTo(["client-api.sock", "client-api.log"]);
    }

    [Test]
    public async Task Of_the_world_of_whoever_starts_it_no_job_gets_anything(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using ServedHome daemon = new() { Environment = { ["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile } };
        federation.Origin.Store("/public/a", [1]);
        federation.Origin.Store("/protected/a", [1]);
        string token = federation.Issuer.CreateToken("storage.read:/");
        daemon.Environment["BEARER_TOKEN"] = token;
        daemon.Environment["P_TOKEN"] = token;
        await daemon.ShellAsync("umask 077; cd /tmp; \"$P\" client-api serve --log-file ~/.pelican/client-api.log --debug");
        daemon.Environment.Remove("BEARER_TOKEN");

        ProgramRun open = await daemon.ShellAsync($"umask 022; cd ~; \"$P\" object get --async --wait {federation.UrlOf("/public/a")} new/a && stat -c %a new new/a");
        ProgramRun secret = await daemon.ShellAsync($"\"$P\" object get --async --wait {federation.UrlOf("/protected/a")} ~/b");
        ProgramRun given = await daemon.ShellAsync($"BEARER_TOKEN=$P_TOKEN \"$P\" object get --async --wait {federation.UrlOf("/protected/a")} ~/c");
        await daemon.RunAsync("stop");
        ProgramRun found = await daemon.ShellAsync("grep -rlF \"$P_TOKEN\" ~ | grep -v /tokens/");

        await Assert.That(open.Output).EndsWith("755\n644\n");
        await Assert.That(secret.ExitStatus).IsEqualTo(13);
        await Assert.That(given.ExitStatus).IsEqualTo(0);
        await Assert.That(found.Output).IsEqualTo("");
        await Assert.That(File.GetUnixFileMode(daemon.File("log"))).IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await Assert.That(await File.ReadAllTextAsync(daemon.File("log"), cancellationToken)).Contains("listens on");
    }

    [Test]
    public async Task Another_user_is_turned_away_though_the_socket_were_open_to_all(CancellationToken cancellationToken)
    {
        Skip.Unless(System.Environment.IsPrivilegedProcess, "only root can be somebody else");
        using ServedHome daemon = new();
        await daemon.ServeAsync();
        await daemon.ShellAsync("chmod 711 ~ ~/.pelican; chmod 666 ~/.pelican/client-api.sock");
        const string Ask = "curl -s --unix-socket ~/.pelican/client-api.sock http://localhost/health";

        ProgramRun other = await daemon.ShellAsync("setpriv --reuid 65534 --regid 65534 --clear-groups " + Ask);
        ProgramRun owner = await daemon.ShellAsync(Ask);

        await Assert.That((other.ExitStatus != 0, other.Output)).IsEqualTo((true, ""));
        await Assert.That(owner.Output).Contains("\"status\":\"ok\"");
        await Assert.That(await File.ReadAllTextAsync(daemon.File("log"), cancellationToken)).Contains("A connection of user 65534 was refused");
    }

    [Test]
    public async Task Clients_that_never_hang_up_do_not_take_the_descriptors_of_jobs(CancellationToken cancellationToken)
    {
        const int allowed = 128;
        await using TestFederation federation = await TestFederation.StartAsync();
        using ServedHome daemon = new() { Environment = { ["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile } };
        federation.Origin.Store("/public/a", [1]);
        await daemon.ShellAsync($"ulimit -n {allowed}; \"$P\" client-api serve");
        using ApiClient client = new(daemon.File("sock"));
        List<Socket> silent = [];
        for (int i = 0; i < 2 * allowed; i++)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            silent.Add(socket);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(daemon.File("sock")), cancellationToken);
        }

        bool full = await client.IsServerRunningAsync(cancellationToken);
        silent[0].Dispose();
        while (!await client.IsServerRunningAsync(cancellationToken))
        {
            await Task.Yield();
        }

        JobCreated job = await client.CreateJobAsync(
            [new TransferRequest("get", federation.UrlOf("/public/a"), daemon.Home + "/a")], cancellationToken: cancellationToken);
        JobStatus end = await client.WaitForJobAsync(job.JobId, cancellationToken: cancellationToken);
        silent.ForEach(socket => socket.Dispose());

        await Assert.That(full).IsFalse();
        await Assert.That((end.Status, end.Error)).IsEqualTo(("completed", null));
    }

    [Test]
    public async Task Settings_are_honoured_by_server_and_commands_alike()
    {
        using ServedHome daemon = new();
        await File.WriteAllTextAsync(daemon.Home + "/pelican.yaml", $"ClientApi:\n  Socket: {daemon.Home}/s.sock\n  DbLocation: {daemon.Home}/jobs.db\n");
        daemon.Environment["PELICAN_CONFIG"] = daemon.Home + "/pelican.yaml";
        daemon.Environment["PELICAN_CLIENT_API_PIDFILE"] = daemon.File("pid");

        await daemon.ServeAsync();
        JsonElement status = await daemon.StatusAsync();
        ProgramRun jobs = await daemon.PelicanAsync("job", "list");
        ProgramRun help = await daemon.RunAsync("serve", "--help");

        await Assert.That(status.GetProperty("socket").GetString()).IsEqualTo(daemon.Home + "/s.sock");
        await Assert.That(status.GetProperty("database").GetString()).IsEqualTo(daemon.Home + "/jobs.db");
        await Assert.That(jobs.ExitStatus).IsEqualTo(0);
        await Assert.That(help.Output).Contains("PELICAN_CLIENT_API_SOCKET");
    }

    [Test]
    public async Task The_alias_ends_by_itself_unless_told_otherwise()
    {
        using ServedHome daemon = new();

        ProgramRun start = await daemon.PelicanAsync("client-agent", "start");
        ProgramRun status = await daemon.PelicanAsync("client-agent", "status");

        await Assert.That((start.ExitStatus, status.ExitStatus)).IsEqualTo((0, 0));
        await Assert.That(Instance.Read(daemon.File("json"))!.Arguments).IsEquivalentTo(["client-agent", "start"]);
    }
}
