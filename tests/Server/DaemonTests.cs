using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

public sealed class DaemonTests
{
    [Test]
    public async Task Its_health_is_told_as_the_specification_has_it(CancellationToken cancellationToken)
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync();

        (HttpStatusCode status, JsonElement body) = await daemon.SendAsync("GET", "/health", cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(body.GetProperty("status").GetString()).IsEqualTo("ok");
        await Assert.That(body.GetProperty("version").GetString()!).Matches(@"^\d+\.\d+\.\d+$");
        await Assert.That(body.GetProperty("uptime_seconds").GetInt64()).IsGreaterThanOrEqualTo(0);
        await Assert.That(body.GetProperty("pid").GetInt32()).IsEqualTo(Environment.ProcessId);
        await Assert.That(body.GetProperty("database").GetString()).IsEqualTo(daemon.File("db"));
    }

    [Test]
    public async Task A_request_for_shutdown_is_answered_and_followed(CancellationToken cancellationToken)
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync();

        (HttpStatusCode status, JsonElement body) = await daemon.SendAsync("POST", "/shutdown", cancellationToken);
        await daemon.Ended.WaitAsync(cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(body.ToString()).IsEqualTo("""{"message":"Server shutdown initiated"}""");
        foreach (string extension in (string[])["sock", "pid", "json"])
        {
            await Assert.That(File.Exists(daemon.File(extension))).IsFalse().Because(extension);
        }
    }

    [Test]
    [Arguments("GET", "/shutdown", HttpStatusCode.MethodNotAllowed)]
    [Arguments("GET", "/api/v1/xfer/nothing", HttpStatusCode.NotFound)]
    [Arguments("GET", "/", HttpStatusCode.NotFound)]
    public async Task What_is_not_there_is_told_in_JSON(string method, string path, HttpStatusCode expected, CancellationToken cancellationToken)
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync();

        (HttpStatusCode status, JsonElement body) = await daemon.SendAsync(method, path, cancellationToken);

        await Assert.That(status).IsEqualTo(expected);
        await Assert.That(body.GetProperty("error").GetString()).IsNotEmpty();
        await Assert.That(body.GetProperty("code").GetString()).IsNotEmpty();
    }

    [Test]
    [Arguments("/api/v1/xfer/jobs")]
    [Arguments("/api/v1.0/transfer-agent/jobs")]
    public async Task Jobs_are_under_both_bases(string path, CancellationToken cancellationToken)
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync();

        (HttpStatusCode status, JsonElement body) = await daemon.SendAsync("GET", path, cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(body.GetProperty("total").GetInt32()).IsEqualTo(0);
    }

    [Test]
    public async Task With_nothing_to_do_it_ends(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new();
        await using TestDaemon daemon = await TestDaemon.StartAsync(options => options with { IdleTimeout = TimeSpan.FromMinutes(1) }, clock);

        for (int i = 0; i < 6; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            await daemon.SendAsync("GET", "/api/v1/xfer/jobs", cancellationToken);
        }

        bool busyEnded = daemon.Ended.IsCompleted;
        await TestDaemon.UntilAsync(() => daemon.Ended.IsCompleted, clock, TimeSpan.FromSeconds(15), cancellationToken);

        await daemon.Ended;
        await Assert.That(busyEnded).IsFalse();
    }

    [Test]
    public async Task To_ask_whether_it_is_alive_keeps_it_no_busier()
    {
        FakeTimeProvider clock = new();
        DaemonActivity activity = new(clock);
        Microsoft.AspNetCore.Http.DefaultHttpContext health = new() { Request = { Path = "/health" } };
        Microsoft.AspNetCore.Http.DefaultHttpContext stream = new() { Request = { Path = "/api/v1/xfer/jobs/1/events" } };
        TaskCompletionSource end = new();

        clock.Advance(TimeSpan.FromMinutes(1));
        await activity.CountAsync(health, _ => Task.CompletedTask);
        TimeSpan afterHealth = activity.IdleFor;
        Task streaming = activity.CountAsync(stream, _ => end.Task);
        clock.Advance(TimeSpan.FromMinutes(1));
        TimeSpan duringStream = activity.IdleFor;
        end.SetResult();
        await streaming;
        clock.Advance(TimeSpan.FromSeconds(1));

        await Assert.That(afterHealth).IsEqualTo(TimeSpan.FromMinutes(1));
        await Assert.That(duringStream).IsEqualTo(TimeSpan.Zero);
        await Assert.That(activity.IdleFor).IsEqualTo(TimeSpan.FromSeconds(1));
    }

    [Test]
    public async Task A_socket_that_somebody_removed_is_made_again(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new();
        await using TestDaemon daemon = await TestDaemon.StartAsync(clock: clock);
        File.Delete(daemon.File("sock"));

        await TestDaemon.UntilAsync(() => File.Exists(daemon.File("sock")), clock, TimeSpan.FromSeconds(30), cancellationToken);

        await Expect.UntilAsync(() => InstanceSocket.Answers(daemon.File("sock")), cancellationToken);
        (HttpStatusCode status, _) = await daemon.SendAsync("GET", "/health", cancellationToken);
        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(File.GetUnixFileMode(daemon.File("sock"))).IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Test]
    public async Task Whoever_removes_all_its_files_takes_no_job_away(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new();
        await using TestDaemon daemon = await TestDaemon.StartAsync(clock: clock);
        using StringContent body = new("""{"transfers":[{"operation":"get","source":"pelican://localhost:1/a","destination":"/nowhere/a"}]}""");
        using HttpResponseMessage created = await daemon.Http.PostAsync(new Uri("/api/v1/xfer/jobs", UriKind.Relative), body, cancellationToken);
        Directory.Delete(daemon.Home + "/.pelican", recursive: true);

        await TestDaemon.UntilAsync(() => File.Exists(daemon.File("db")) && InstanceSocket.Answers(daemon.File("sock")), clock, TimeSpan.FromSeconds(30), cancellationToken);

        (HttpStatusCode status, _) = await daemon.SendAsync("GET", created.Headers.Location!.OriginalString, cancellationToken);
        await Assert.That(created.StatusCode).IsEqualTo(HttpStatusCode.Created);
        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(File.Exists(daemon.File("pid"))).IsTrue();
    }

    [Test]
    public async Task One_that_another_host_took_over_ends_and_leaves_its_files(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new();
        await using TestDaemon daemon = await TestDaemon.StartAsync(clock: clock);
        string record = (await File.ReadAllTextAsync(daemon.File("json"), cancellationToken)).Replace("\"id\":\"", "\"id\":\"other", StringComparison.Ordinal);
        await File.WriteAllTextAsync(daemon.File("json"), record, cancellationToken);

        await TestDaemon.UntilAsync(() => daemon.Ended.IsCompleted, clock, TimeSpan.FromSeconds(30), cancellationToken);

        await Assert.That(await File.ReadAllTextAsync(daemon.File("json"), cancellationToken)).IsEqualTo(record);
        await Assert.That(File.Exists(daemon.File("pid"))).IsTrue();
    }

    [Test]
    public async Task A_database_that_cannot_be_opened_leaves_no_files_of_a_running_daemon(CancellationToken cancellationToken)
    {
        string folder = Directory.CreateTempSubdirectory("pelican-db-").FullName;
        await File.WriteAllTextAsync(folder + "/broken.db", new string('x', 5000), cancellationToken);
        string? home = null;
        PelicanException error = await Expect.FailureAsync(TestDaemon.StartAsync(options =>
        {
            home = Path.GetDirectoryName(options.Jobs.Database);
            return options with { Jobs = options.Jobs with { Database = folder + "/broken.db" } };
        }));

        await Assert.That(error.Message).Contains("broken.db");
        await Assert.That(Directory.EnumerateFiles(home!).Select(file => Path.GetExtension(file)!).Distinct()).IsEquivalentTo([".lock"]);
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public async Task The_user_at_the_other_end_is_known(CancellationToken cancellationToken)
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync();
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(daemon.File("sock")), cancellationToken);

        await Assert.That(DaemonFront.PeerOf(socket)).IsEqualTo(SystemCalls.GetEffectiveUserId());
    }
}
