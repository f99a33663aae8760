using System.Net;
using System.Text.Json;
using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Server;

/// <summary>The published executable as a server whose database, own files and log lie on a disk that fails.</summary>
public sealed class DaemonDiskPublishedTests
{
    private const string Object = "/public/a";

    [Test]
    [Arguments("write ENOSPC name=jobs.db*")]
    [Arguments("write EDQUOT name=jobs.db*")]
    [Arguments("write EIO name=jobs.db*")]
    [Arguments("fsync EIO name=jobs.db*")]
    [Arguments("fsync EDQUOT name=jobs.db*")]
    [Arguments("write EIO name=jobs.db* skip=3")]
    public async Task A_job_is_acknowledged_only_when_the_database_has_it(string fault, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store(Object, Bytes.Random(1_000));
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation, "--database", disk.File("jobs.db"));
        List<string> acknowledged = [];
        List<JsonElement> refused = [];
        await SubmitAsync();

        disk.Tell(fault);
        await SubmitAsync();
        await SubmitAsync();
        await SubmitAsync();
        disk.Heal();
        while (!await SubmitAsync())
        {
        }

        daemon.Kill();
        await daemon.StartAgainAsync();
        (_, JsonElement list) = await daemon.SendAsync("GET", "/jobs?limit=100", null, cancellationToken);

        await Assert.That(refused.Count).IsGreaterThan(0);
        await Assert.That(refused.Select(body => (body.GetProperty("code").GetString()!, body.GetProperty("retryable").GetBoolean())).Distinct()).IsEquivalentTo([("INTERNAL_ERROR", true)]);
        await Assert.That(list.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("job_id").GetString()!)).IsEquivalentTo(acknowledged);
        foreach (string id in acknowledged)
        {
            (_, JsonElement job) = await daemon.SendAsync("GET", $"/jobs/{id}?wait=60s", null, cancellationToken);
            await Assert.That(job.GetProperty("status").GetString()).IsEqualTo("completed");
        }

        async Task<bool> SubmitAsync()
        {
            string destination = Path.Combine(daemon.Home, $"{acknowledged.Count}.{refused.Count}");
            (HttpStatusCode status, JsonElement body) = await daemon.SendAsync("POST", "/jobs",
                $$"""{"transfers":[{{ApiServer.Transfer("get", federation.UrlOf(Object), destination)}}]}""", cancellationToken);
            if (status != HttpStatusCode.Created)
            {
                refused.Add(body);
                return false;
            }

            acknowledged.Add(body.GetProperty("job_id").GetString()!);
            return true;
        }
    }

    [Test]
    [Arguments("create EROFS")]
    [Arguments("write ENOSPC name=.*")]
    [Arguments("flush EDQUOT name=.*")]
    [Arguments("fsync EIO name=.*")]
    [Arguments("create EIO name=.* skip=1")]
    [Arguments("write EIO name=.* skip=1")]
    [Arguments("rename EIO")]
    [Arguments("write EIO name=jobs.db*")]
    [Arguments("open EIO name=jobs.db*")]
    [Arguments("create ENOSPC name=log")]
    public async Task A_server_that_cannot_write_its_files_says_so_and_does_not_stand_in_the_way(string fault)
    {
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        string home = Directory.CreateDirectory(disk.File("home")).FullName;
        disk.Tell(fault);

        ProgramRun failed = await RunAsync("serve");
        string[] left = disk.Files();
        disk.Heal();
        ProgramRun started = await RunAsync("serve");
        ProgramRun stopped = await RunAsync("stop");

        await Assert.That(failed.ExitStatus).IsNotEqualTo(0).Because(string.Join(' ', left));
        await Assert.That(failed.Error).Contains(disk.Root).And.DoesNotContain("internal").And.DoesNotContain("   at ");
        await Assert.That(left.Where(file => file.EndsWith(".pid", StringComparison.Ordinal) || file.EndsWith(".json", StringComparison.Ordinal) || file.Contains(".json.", StringComparison.Ordinal))).IsEmpty();
        await Assert.That((started.ExitStatus, stopped.ExitStatus)).IsEqualTo((0, 0)).Because(started.Error + stopped.Error);

        Task<ProgramRun> RunAsync(string verb) => PublishedExecutable.Find().RunAsync(
            ["client-api", verb, "--socket", home + "/s.sock", "--pid-file", disk.File("server.pid"), .. verb == "serve" ? (string[])["--database", disk.File("jobs.db"), "--log-file", disk.File("log")] : []],
            new Dictionary<string, string> { ["HOME"] = home });
    }

    [Test]
    [Arguments("write ENOSPC name=log")]
    [Arguments("write EIO name=log")]
    public async Task A_log_that_cannot_be_written_stops_no_job_and_is_written_again(string fault, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store(Object, Bytes.Random(1_000));
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation, "--log-file", disk.File("log"));
        string before = await File.ReadAllTextAsync(Path.Combine(disk.Backing, "log"), cancellationToken);

        disk.Tell(fault);
        string during = await EndAsync("1");
        string silent = await File.ReadAllTextAsync(Path.Combine(disk.Backing, "log"), cancellationToken);
        disk.Heal();
        string after = await EndAsync("2");
        await daemon.StopAsync();
        string log = await File.ReadAllTextAsync(Path.Combine(disk.Backing, "log"), cancellationToken);

        await Assert.That((during, after)).IsEqualTo(("completed", "completed"));
        await Assert.That(silent).IsEqualTo(before);
        await Assert.That(log[silent.Length..]).Contains("Lines are missing here");
        await Assert.That(daemon.Said).Contains($"The log file '{disk.File("log")}' lacks lines");

        async Task<string> EndAsync(string name)
        {
            (_, JsonElement made) = await daemon.SendAsync("POST", "/jobs",
                $$"""{"transfers":[{{ApiServer.Transfer("get", federation.UrlOf(Object), Path.Combine(daemon.Home, name))}}]}""", cancellationToken);
            (_, JsonElement job) = await daemon.SendAsync("GET", $"/jobs/{made.GetProperty("job_id").GetString()}?wait=60s", null, cancellationToken);
            return job.GetProperty("status").GetString()!;
        }
    }
}
