using System.Diagnostics;
using System.Globalization;
using Pelican.Commands;
using Pelican.Json;
using Pelican.Server;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>Servers and what others, dead ones, and bad places leave in their way.</summary>
public sealed class InstancePublishedTests
{
    private const int Kill = 9;

    [Test]
    public async Task Of_fifty_at_once_one_serves_and_the_others_say_so()
    {
        using ServedHome daemon = new();

        ProgramRun[] runs = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => daemon.RunAsync("serve")));

        ProgramRun[] others = [.. runs.Where(run => run.ExitStatus != 0)];
        await Assert.That(others.Length).IsEqualTo(49);
        await Assert.That(others.Distinct()).IsEquivalentTo(
            [new ProgramRun(12, "", $"Error: Client API server is already running (PID: {daemon.Pid})\nSocket: {daemon.File("sock")}\n")]);
    }

    [Test]
    public async Task What_a_killed_one_left_harms_nobody(CancellationToken cancellationToken)
    {
        using ServedHome daemon = new();
        int killed = await daemon.ServeAsync();
        _ = Posix.Kill(killed, Kill);
        await Expect.UntilAsync(() => !ServedHome.Runs(killed), cancellationToken);
        // Its number goes to another process.
        using var other = Process.Start("sleep", "1000");
        await File.WriteAllTextAsync(daemon.File("pid"), other.Id + "\n", cancellationToken);
        string record = await File.ReadAllTextAsync(daemon.File("json"), cancellationToken);
        await File.WriteAllTextAsync(daemon.File("json"),
            record.Replace($"\"pid\":{killed}", $"\"pid\":{other.Id}", StringComparison.Ordinal), cancellationToken);

        ProgramRun status = await daemon.RunAsync("status");
        ProgramRun stop = await daemon.RunAsync("stop");
        ProgramRun serve = await daemon.RunAsync("serve");
        bool alive = !other.HasExited;
        other.Kill();

        await Assert.That((status.ExitStatus, stop.ExitStatus, stop.Output)).IsEqualTo((12, 0, "Client API server is not running\n"));
        await Assert.That(serve.ExitStatus).IsEqualTo(0);
        await Assert.That(alive).IsTrue();
    }

    [Test]
    public async Task Hosts_that_share_a_home_have_a_server_each(CancellationToken cancellationToken)
    {
        Skip.Unless(System.Environment.IsPrivilegedProcess, "only root can be another host");
        using ServedHome daemon = new();
        ProgramRun first = await OnAsync(daemon, "login1", "\"$P\" client-api serve");
        int there = daemon.Pid;

        ProgramRun second = await OnAsync(daemon, "login2", "\"$P\" client-api serve && \"$P\" client-api status");
        InstanceRecord own = Instance.Read(daemon.File("login2.json"))!;
        ProgramRun stop = await OnAsync(daemon, "login2", "\"$P\" job list && \"$P\" client-api stop && \"$P\" client-api status");
        bool firstRuns = ServedHome.Runs(there);

        // Killed, and silent for long: then its files may be taken.
        _ = Posix.Kill(there, Kill);
        await Expect.UntilAsync(() => !ServedHome.Runs(there), cancellationToken);
        ProgramRun soon = await OnAsync(daemon, "login3", "\"$P\" client-api serve && \"$P\" client-api stop");
        File.SetLastWriteTimeUtc(daemon.File("json"), DateTime.UtcNow.AddMinutes(-3));
        ProgramRun late = await OnAsync(daemon, "login4", "\"$P\" client-api serve");

        await Assert.That(first.ExitStatus).IsEqualTo(0);
        await Assert.That(second.Error).IsEqualTo(
            $"{daemon.File("sock")} belongs to the server on login1 (PID: {there}): this one has files, and jobs, of its own.\n");
        await Assert.That(second.Output).EndsWith($"Client API server is running (PID: {own.Pid})\nSocket: {daemon.File("login2.sock")}\n");
        await Assert.That(stop.Output).IsEqualTo($"No jobs found\nClient API server stopped (PID: {own.Pid})\nClient API server is not running\n");
        await Assert.That(firstRuns).IsTrue();
        await Assert.That(soon.Output).Contains("client-api.login3.sock");
        await Assert.That(late.Output).Contains(daemon.File("sock"));
    }

    [Test]
    [Arguments("--socket /tmp/12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890.sock",
        4, "has 120 bytes, and 107 is the most", "--socket or PELICAN_CLIENT_API_SOCKET")]
    [Arguments("--log-file /nowhere/at/all.log", 4, "cannot make the directory '/nowhere/at': there is no '/nowhere'", "--log-file")]
    [Arguments("--log-file /tmp", 10, "cannot open the log file '/tmp': Is a directory", "--log-file")]
    public async Task A_place_that_will_not_do_is_refused_with_the_way_out(string options, int status, string what, string next)
    {
        using ServedHome daemon = new();

        ProgramRun run = await daemon.RunAsync(["serve", .. options.Split(' ')]);

        await Assert.That(run.ExitStatus).IsEqualTo(status);
        await Assert.That(run.Error).Contains(what).And.Contains(next);
    }

    [Test]
    [Arguments("HOME=$HOME/none", "cannot make the directory", 4)]
    [Arguments("HOME=relative", "there is no home directory", 4)]
    [Arguments("touch ~/.pelican;", "cannot make the directory", 10)]
    public async Task A_home_that_will_not_do_is_refused(string setting, string what, int status)
    {
        using ServedHome daemon = new();

        ProgramRun run = await daemon.ShellAsync(setting + " \"$P\" client-api serve");

        await Assert.That(run.ExitStatus).IsEqualTo(status);
        await Assert.That(run.Error).Contains(what);
    }

    [Test]
    [Arguments("size=16k", "dd if=/dev/zero of=$HOME/.pelican/full bs=4k 2>/dev/null;", "no space is left on the device")]
    [Arguments("ro", "", "ead-only file system")]
    public async Task On_a_disk_that_takes_nothing_it_says_so_and_leaves_nothing_behind(string mount, string before, string what)
    {
        Skip.Unless(System.Environment.IsPrivilegedProcess, "only root can mount");
        using ServedHome daemon = new();

        ProgramRun run = await daemon.ProgramAsync("unshare", "-m", "bash", "-c",
            $"mkdir ~/.pelican; mount -t tmpfs -o {mount} none ~/.pelican; {before} \"$P\" client-api serve; echo $?; ls ~/.pelican; \"$P\" client-api status");

        await Assert.That(run.Error).Contains(what);
        await Assert.That(run.Output).StartsWith("10\n").And.DoesNotContain(".json").And.DoesNotContain(".pid").And.EndsWith("is not running\n");
    }

    private static Task<ProgramRun> OnAsync(ServedHome daemon, string host, string script) =>
        daemon.ProgramAsync("unshare", "-u", "bash", "-c", string.Create(CultureInfo.InvariantCulture, $"hostname {host}; {script}"));
}
