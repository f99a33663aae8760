using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Pelican.Commands;
using Pelican.Federation;
using Pelican.Tests.Server;
using Pelican.Tests.Support;

namespace Pelican.Tests.Commands;

/// <summary>
/// <c>--async</c> and <c>job</c> as people use them: the published executable on both ends of the socket. <c>PELICAN_LOOP</c>
/// is the number of files in the shell loop (60).
/// </summary>
public sealed class AsyncPublishedTests : IDisposable
{
    private const int Interrupt = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("pelican-async-").FullName;
    private readonly Gate _gate = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_shell_loop_hands_over_every_file_and_the_list_has_them_in_order(CancellationToken cancellationToken)
    {
        int count = System.Environment.GetEnvironmentVariable("PELICAN_LOOP") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 60;
        await using TestFederation federation = await TestFederation.StartAsync();
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation);
        Directory.CreateDirectory(In("data"));
        byte[][] contents = [.. Enumerable.Range(0, count).Select(i => Bytes.Random(i * 37 % 9000))];
        for (int i = 0; i < count; i++)
        {
            await File.WriteAllBytesAsync(In($"data/f{i}.dat"), contents[i], cancellationToken);
        }

        ProgramRun loop = await ShellAsync(daemon,
            $"cd '{_folder}' && for f in data/*.dat; do pelican object put --async \"$f\" {federation.UrlOf("/demo/loop/")}\"$(basename \"$f\")\" || exit; done");

        string[] ids = [.. loop.Output.Split('\n').Where(line => line.StartsWith("Job created: ", StringComparison.Ordinal)).Select(line => line["Job created: ".Length..])];
        await Assert.That((loop.ExitStatus, loop.Error, ids.Length)).IsEqualTo((0, "", count));
        await Assert.That((await PelicanAsync(daemon, ["job", "wait", .. ids])).ExitStatus).IsEqualTo(0);
        await Assert.That(Enumerable.Range(0, count).Where(i => !federation.Origin.Load($"/demo/loop/f{i}.dat").AsSpan().SequenceEqual(contents[i]))).IsEmpty();
        List<string> listed = [];
        for (int offset = 0; offset < count; offset += 25)
        {
            ProgramRun page = await PelicanAsync(daemon, "job", "list", "--limit", "25", "--offset", $"{offset}");
            listed.AddRange(page.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(' ')[0]));
        }

        await Assert.That(listed.SequenceEqual(ids.Reverse())).IsTrue();
    }

    [Test]
    public async Task Trees_and_several_objects_arrive_as_without_async(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation);
        Directory.CreateDirectory(In("tree/sub/empty"));
        await File.WriteAllTextAsync(In("tree/a"), "one", cancellationToken);
        await File.WriteAllTextAsync(In("tree/sub/b"), "two", cancellationToken);
        string remote = federation.UrlOf("/demo/tree");

        ProgramRun run = await ShellAsync(daemon, $"""
            cd '{_folder}' && mkdir flat && umask 027 &&
            pelican -q object put --async --wait -r tree {remote} &&
            pelican -q object get --async --wait '{remote}?recursive' back && diff -r tree back &&
            pelican -q object copy --async --wait -r --direct {remote} direct && diff -r tree direct &&
            pelican -q object get --async --wait {remote}/a '{remote}/sub/b?directread' flat && cat flat/a flat/b && stat -c %a flat/a
            """);

        await Assert.That((run.ExitStatus, run.Error)).IsEqualTo((0, ""));
        await Assert.That(run.Output).EndsWith("onetwo640\n");
    }

    [Test]
    public async Task The_exit_status_tells_how_a_job_ended()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation);
        federation.Origin.Store("/public/a", "here");
        federation.Origin.Store("/public/slow", "slow");
        federation.Cache.Faults.Add("GET", "/public/slow", FaultAction.Hold(_gate));

        ProgramRun completed = await GetAsync(daemon, federation, "/public/a", "--wait");
        ProgramRun failed = await GetAsync(daemon, federation, "/public/none", "--wait");
        ProgramRun goingOn = await GetAsync(daemon, federation, "/public/slow", "--wait", "--timeout", "0");
        string id = goingOn.Output.Split('\n')[0]["Job created: ".Length..];
        ProgramRun cancelled = await PelicanAsync(daemon, "job", "cancel", id);
        ProgramRun ended = await PelicanAsync(daemon, "job", "wait", id);
        await daemon.StopAsync();
        ProgramRun absent = await GetAsync(daemon, federation, "/public/a");

        await Assert.That(completed.Output).EndsWith("\nWaiting for job to complete...\nJob completed successfully\nTransferred: 4 bytes\n");
        await Assert.That(cancelled).IsEqualTo(new ProgramRun(0, $"Job {id} cancelled successfully\n", ""));
        await Assert.That(absent).IsEqualTo(new ProgramRun(12, "", "Error: Client API server is not running\nStart it with 'pelican client-api serve'\n"));
        await Assert.That((completed.ExitStatus, failed.ExitStatus, goingOn.ExitStatus, ended.ExitStatus)).IsEqualTo((0, 13, 15, 14));
    }

    [Test]
    public async Task Ctrl_C_and_a_killed_server_leave_the_job_going(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation);
        byte[] content = Bytes.Random(300_000);
        federation.Origin.Store("/public/slow", content);
        federation.Cache.Faults.Add("GET", "/public/slow", FaultAction.Hold(_gate));
        using Process command = Start(daemon, "object", "get", "--async", "--wait", federation.UrlOf("/public/slow"), In("slow"));
        string id = (await command.StandardOutput.ReadLineAsync(cancellationToken))!["Job created: ".Length..];
        await _gate.Blocked.WaitAsync(cancellationToken);

        _ = Posix.Kill(command.Id, Interrupt);
        string said = await command.StandardError.ReadToEndAsync(cancellationToken);
        await command.WaitForExitAsync(cancellationToken);
        using Process waiting = Start(daemon, "job", "status", "--watch", id);
        await waiting.StandardOutput.ReadLineAsync(cancellationToken);
        daemon.Kill();
        string warning = (await waiting.StandardError.ReadLineAsync(cancellationToken))!;
        await daemon.StartAgainAsync();
        _gate.Open();
        await waiting.StandardOutput.ReadToEndAsync(cancellationToken);
        await waiting.WaitForExitAsync(cancellationToken);

        await Assert.That((command.ExitCode, said)).IsEqualTo(
            (128 + Interrupt, $"Job {id} goes on without this command; 'pelican job wait {id}' waits for it again\nInterrupted.\n"));
        await Assert.That((waiting.ExitCode, warning)).IsEqualTo(
            (0, "Warning: the Client API server is not there; waiting for it to come back (it keeps the job)"));
        await Assert.That((await File.ReadAllBytesAsync(In("slow"), cancellationToken)).AsSpan().SequenceEqual(content)).IsTrue();
    }

    [Test]
    public async Task A_token_of_the_environment_is_in_one_file_until_its_job_is_over(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation, "--debug", "--max-jobs", "1", "--log-file", In("log"));
        federation.Origin.Store("/protected/a", "secret");
        federation.Origin.Store("/public/slow", "slow");
        federation.Cache.Faults.Add("GET", "/public/slow", FaultAction.Hold(_gate));
        string token = federation.Issuer.CreateToken("storage.read:/");
        string renewed = In("renewed");
        await File.WriteAllTextAsync(renewed, federation.Issuer.CreateToken("storage.read:/", TimeSpan.FromHours(-1)), cancellationToken);

        ProgramRun first = await GetAsync(daemon, federation, "/public/slow", Environment("TOKEN", ""));
        await _gate.Blocked.WaitAsync(cancellationToken);
        ProgramRun second = await GetAsync(daemon, federation, "/protected/a", Environment("BEARER_TOKEN", token));
        ProgramRun third = await GetAsync(daemon, federation, "/protected/a", Environment("BEARER_TOKEN_FILE", renewed));
        string[] during = await FilesWithAsync(token, daemon.Home, In("log"));
        daemon.Kill();
        await daemon.StartAgainAsync();
        await File.WriteAllTextAsync(renewed, federation.Issuer.CreateToken("storage.read:/"), cancellationToken);
        _gate.Open();
        ProgramRun end = await PelicanAsync(daemon, ["job", "wait", .. new[] { first, second, third }.Select(run => run.Output.Trim())]);

        await Assert.That((end.ExitStatus, end.Error)).IsEqualTo((0, ""));
        await Assert.That(during.Length).IsEqualTo(1);
        await Assert.That(during[0]).StartsWith($"{daemon.Home}/.pelican/tokens/");
        await Assert.That(await FilesWithAsync(token, daemon.Home, In("log"))).IsEmpty();
        await Assert.That(second.Output + second.Error + daemon.Said).DoesNotContain(token);
    }

    [Test]
    public async Task Whoever_finds_no_server_can_start_one_and_many_at_once_start_the_same()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", "here");
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation);
        await daemon.StopAsync();
        // The server has the surroundings of whoever starts it.
        Dictionary<string, string> environment = new() { [DaemonAccess.StartVariable] = "1", ["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile };

        ProgramRun[] runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => PelicanAsync(
            daemon, ["-q", "object", "get", "--async", federation.UrlOf("/public/a"), In($"a{i}")], environment)));
        ProgramRun waited = await PelicanAsync(daemon, ["job", "wait", "--start", .. runs.Select(run => run.Output.Trim())]);
        ProgramRun list = await PelicanAsync(daemon, "job", "list", "--json");
        ProgramRun stopped = await PelicanAsync(daemon, "client-api", "stop");

        await Assert.That(string.Concat(runs.Select(run => run.Error))).IsEqualTo("");
        await Assert.That((waited.ExitStatus, stopped.ExitStatus)).IsEqualTo((0, 0));
        await Assert.That(JsonDocument.Parse(list.Output).RootElement.GetProperty("total").GetInt32()).IsEqualTo(8);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private static Dictionary<string, string> Environment(string name, string value) => new() { [name] = value };

    private static Dictionary<string, string> Environment(PublishedDaemon daemon) => new() { ["HOME"] = daemon.Home };

    private Task<ProgramRun> GetAsync(PublishedDaemon daemon, TestFederation federation, string path, params string[] options) =>
        PelicanAsync(daemon, ["object", "get", "--async", .. options, federation.UrlOf(path), In("got")]);

    // Only the id is told.
    private Task<ProgramRun> GetAsync(PublishedDaemon daemon, TestFederation federation, string path, Dictionary<string, string> environment) =>
        PelicanAsync(daemon, ["-q", "object", "get", "--async", federation.UrlOf(path), In("got")], environment);

    private static Task<ProgramRun> PelicanAsync(PublishedDaemon daemon, params string[] arguments) =>
        PublishedExecutable.Find().RunAsync(arguments, Environment(daemon));

    private static Task<ProgramRun> PelicanAsync(PublishedDaemon daemon, string[] arguments, Dictionary<string, string> more)
    {
        Dictionary<string, string> environment = Environment(daemon);
        foreach ((string name, string value) in more)
        {
            environment[name] = value;
        }

        return PublishedExecutable.Find().RunAsync(arguments, environment);
    }

    private static Task<ProgramRun> ShellAsync(PublishedDaemon daemon, string script)
    {
        string pelican = PublishedExecutable.Find().Path;
        return PublishedExecutable.RunAsync("sh", ["-c", $"pelican() {{ '{pelican}' \"$@\"; }}\n{script}"], Environment(daemon));
    }

    private static Process Start(PublishedDaemon daemon, params string[] arguments)
    {
        ProcessStartInfo start = PublishedExecutable.StartInfo(PublishedExecutable.Find().Path, arguments);
        start.Environment.Clear();
        start.Environment["HOME"] = daemon.Home;
        return Process.Start(start)!;
    }

    // By another program: .NET does not read files on which the server has a lock.
    private static async Task<string[]> FilesWithAsync(string secret, params string[] paths) =>
        (await PublishedExecutable.RunAsync("grep", ["-rlF", "-D", "skip", "-f", "-", .. paths], input: secret)).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
