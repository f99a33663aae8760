using System.Net.Sockets;
using System.Text.Json;
using Pelican.Json;
using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

public sealed class InstanceClaimTests : IDisposable
{
    private static readonly HostIdentity Here = HostIdentity.Read();
    private static readonly HostIdentity There = new("login2", "another boot");

    private readonly string _home = Directory.CreateTempSubdirectory("pelican-home-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Test]
    public async Task The_pid_file_holds_the_number_and_the_record_the_rest(CancellationToken cancellationToken)
    {
        using Instance instance = await TakeAsync(Here, cancellationToken);

        InstanceRecord record = Instance.Read(File("json"))!;
        await Assert.That(await System.IO.File.ReadAllTextAsync(File("pid"), cancellationToken)).IsEqualTo($"{Environment.ProcessId}\n");
        await Assert.That(record with { Arguments = [] }).IsEqualTo(instance.Record with { Arguments = [] });
        await Assert.That(record.Arguments).IsEquivalentTo(["client-api", "serve"]);
        await Assert.That(record.Host).IsEqualTo(Here.Name);
        await Assert.That(record.BootId).IsNotEmpty();
        await Assert.That(Here.Runs(record)).IsTrue();
        await Assert.That(record.Socket).IsEqualTo(File("sock"));
    }

    [Test]
    public async Task Nobody_else_may_enter_the_directory(CancellationToken cancellationToken)
    {
        using Instance instance = await TakeAsync(Here, cancellationToken);
        using InstanceSocket socket = InstanceSocket.Bind(instance.Paths.Socket);

        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await Assert.That(System.IO.File.GetUnixFileMode(_home + "/.pelican")).IsEqualTo(owner | UnixFileMode.UserExecute);
        foreach (string extension in (string[])["sock", "pid", "json", "lock"])
        {
            await Assert.That(System.IO.File.GetUnixFileMode(File(extension))).IsEqualTo(owner).Because(extension);
        }
    }

    [Test]
    public async Task A_directory_that_was_there_keeps_its_mode(CancellationToken cancellationToken)
    {
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        System.IO.File.SetUnixFileMode(Directory.CreateDirectory(_home + "/.pelican").FullName, mode);

        using Instance instance = await TakeAsync(Here, cancellationToken);

        await Assert.That(System.IO.File.GetUnixFileMode(_home + "/.pelican")).IsEqualTo(mode);
    }

    [Test]
    [Arguments((UnixFileMode)0x1FF, false)]
    [Arguments((UnixFileMode)0x1FF | UnixFileMode.StickyBit, true)]
    public async Task A_directory_in_which_anybody_could_replace_the_socket_is_refused(UnixFileMode mode, bool taken)
    {
        System.IO.File.SetUnixFileMode(Directory.CreateDirectory(_home + "/open").FullName, mode);

        PelicanException? error = await Expect.FailureOrNullAsync(Task.Run(() => InstanceClaim.Prepare(_home + "/open")));

        await Assert.That(error is null).IsEqualTo(taken);
        await Assert.That(error?.NextStep ?? "chmod o-w").Contains("chmod o-w");
    }

    [Test]
    public async Task The_second_one_is_told_of_the_first(CancellationToken cancellationToken)
    {
        using Instance first = await TakeAsync(Here, cancellationToken);
        using InstanceSocket socket = Listen(first);

        PelicanException error = await Expect.FailureAsync(TakeAsync(Here, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.ServerRunning);
        await Assert.That(error.Message).IsEqualTo($"Client API server is already running (PID: {Environment.ProcessId})");
        await Assert.That(error.NextStep).IsEqualTo($"Socket: {File("sock")}");
    }

    [Test]
    public async Task A_socket_that_takes_connections_and_says_nothing_is_no_server_while_the_lock_may_become_free(CancellationToken cancellationToken)
    {
        // As after kill -9: the process is dying, and holds its lock and its socket until it is dead.
        Instance first = await TakeAsync(Here, cancellationToken);
        using InstanceSocket socket = Listen(first);
        Task<Instance> second = TakeAsync(Here, cancellationToken);
        using Socket asked = await socket.Socket.AcceptAsync(cancellationToken);

        first.Dispose();
        socket.Dispose();
        using Instance taken = await second;

        await Assert.That(Instance.Read(File("json"))!.Id).IsEqualTo(taken.Record.Id);
    }

    [Test]
    public async Task One_that_wants_only_the_same_database_is_told_of_the_first(CancellationToken cancellationToken)
    {
        using Instance first = await TakeAsync(Here, cancellationToken);
        using InstanceSocket socket = Listen(first);
        InstanceChoice others = new() { Socket = _home + "/other.sock", PidFile = _home + "/other.pid" };

        PelicanException error = await Expect.FailureAsync(TakeAsync(Here, cancellationToken, others));

        await Assert.That(error.Row).IsEqualTo(Errors.ServerRunning);
        await Assert.That(error.NextStep).IsEqualTo($"Socket: {File("sock")}");
    }

    [Test]
    public async Task What_is_given_up_can_be_taken_again_and_leaves_only_the_lock(CancellationToken cancellationToken)
    {
        using (Instance first = await TakeAsync(Here, cancellationToken))
        using (InstanceSocket socket = Listen(first))
        {
        }

        string[] left = [.. Directory.EnumerateFiles(_home + "/.pelican").Select(file => Path.GetFileName(file)!)];
        using Instance second = await TakeAsync(Here, cancellationToken);

        await Assert.That(left).IsEquivalentTo(["client-api.lock"]);
        await Assert.That(second.Record.Id).IsNotEmpty();
    }

    [Test]
    public async Task What_a_dead_daemon_left_is_cleaned_up(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_home + "/.pelican");
        // Our own number, as if it had been recycled: the process of the record started at another time.
        Write(Record(Here) with { Pid = Environment.ProcessId, StartTicks = 1 });
        await System.IO.File.WriteAllTextAsync(File("pid"), $"{Environment.ProcessId}\n", cancellationToken);
        LeaveSocket(File("sock"));

        using Instance instance = await TakeAsync(Here, cancellationToken);
        using InstanceSocket socket = Listen(instance);

        await Assert.That(InstanceSocket.Answers(File("sock"))).IsTrue();
        await Assert.That(Instance.Read(File("json"))!.Id).IsEqualTo(instance.Record.Id);
    }

    [Test]
    public async Task A_socket_that_answers_is_not_stale(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_home + "/.pelican");
        using InstanceSocket other = InstanceSocket.Bind(File("sock"));
        other.Socket.Listen();

        PelicanException error = await Expect.FailureAsync(TakeAsync(Here, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.ServerRunning);
        await Assert.That(other.IsThere).IsTrue();
    }

    [Test]
    public async Task A_file_that_is_no_socket_is_not_removed(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_home + "/.pelican");
        await System.IO.File.WriteAllTextAsync(File("sock"), "precious", cancellationToken);

        PelicanException error = await Expect.FailureAsync(TakeAsync(Here, cancellationToken));

        await Assert.That(error.Row).IsEqualTo(Errors.Parameter);
        await Assert.That(await System.IO.File.ReadAllTextAsync(File("sock"), cancellationToken)).IsEqualTo("precious");
    }

    [Test]
    public async Task Another_host_that_lives_is_respected(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_home + "/.pelican");
        Write(Record(There));
        LeaveSocket(File("sock"));

        using Instance instance = await TakeAsync(Here, cancellationToken);

        await Assert.That(instance.Paths.Socket).IsEqualTo($"{_home}/.pelican/client-api.{Here.FileName}.sock");
        await Assert.That(Instance.Read(File("json"))!.Host).IsEqualTo("login2");
        await Assert.That(System.IO.File.Exists(File("sock"))).IsTrue();
    }

    [Test]
    public async Task A_lock_that_reaches_other_hosts_is_respected_too(CancellationToken cancellationToken)
    {
        using Instance first = await TakeAsync(There, cancellationToken);

        using Instance instance = await TakeAsync(Here, cancellationToken);

        await Assert.That(instance.Paths.Socket).IsEqualTo($"{_home}/.pelican/client-api.{Here.FileName}.sock");
    }

    [Test]
    public async Task With_files_that_the_user_named_another_host_is_told_of(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_home + "/.pelican");
        Write(Record(There));

        PelicanException error = await Expect.FailureAsync(TakeAsync(Here, cancellationToken, new InstanceChoice { Socket = _home + "/a.sock" }));

        await Assert.That(error.Message).IsEqualTo("a Client API server with these files is running on login2 (PID: 4711)");
    }

    [Test]
    public async Task Another_host_that_fell_silent_is_dead_and_learns_of_it(CancellationToken cancellationToken)
    {
        using Instance silent = await TakeAsync(There, cancellationToken);
        // As seen by a host that the lock does not reach.
        System.IO.File.Move(File("lock"), File("lock.of.login2"));
        bool renewed = silent.Renew();
        System.IO.File.SetLastWriteTimeUtc(File("json"), DateTime.UtcNow.AddMinutes(-3));

        using Instance instance = await TakeAsync(Here, cancellationToken);
        bool again = silent.Renew();
        silent.Dispose();

        await Assert.That(renewed).IsTrue();
        await Assert.That(instance.Paths.Socket).IsEqualTo(File("sock"));
        await Assert.That(again).IsFalse();
        await Assert.That(instance.Renew()).IsTrue();
        await Assert.That(System.IO.File.Exists(File("pid"))).IsTrue();
    }

    [Test]
    public async Task A_renewal_shows_life_and_puts_back_what_was_removed(CancellationToken cancellationToken)
    {
        using Instance instance = await TakeAsync(Here, cancellationToken);
        System.IO.File.SetLastWriteTimeUtc(File("json"), DateTime.UtcNow.AddMinutes(-3));

        bool first = instance.Renew();
        DateTime touched = System.IO.File.GetLastWriteTimeUtc(File("json"));
        System.IO.File.Delete(File("json"));
        System.IO.File.Delete(File("pid"));
        bool second = instance.Renew();

        await Assert.That(first && second).IsTrue();
        await Assert.That(touched).IsGreaterThan(DateTime.UtcNow.AddMinutes(-1));
        await Assert.That(Instance.Read(File("json"))!.Id).IsEqualTo(instance.Record.Id);
        await Assert.That(System.IO.File.Exists(File("pid"))).IsTrue();
    }

    [Test]
    public async Task A_lock_can_be_a_name_where_files_cannot_be_locked()
    {
        using InstanceLock? first = InstanceLock.TryTakeName(File("lock"));
        InstanceLock? second = InstanceLock.TryTakeName(File("lock"));
        using InstanceLock? other = InstanceLock.TryTakeName(File("lock2"));
        first!.Dispose();
        using InstanceLock? third = InstanceLock.TryTakeName(File("lock"));

        await Assert.That(second).IsNull();
        await Assert.That(other).IsNotNull();
        await Assert.That(third).IsNotNull();
    }

    [Test]
    public async Task A_socket_that_somebody_replaced_is_not_removed()
    {
        InstanceSocket socket = InstanceSocket.Bind(_home + "/a.sock");
        System.IO.File.Delete(_home + "/a.sock");
        using InstanceSocket other = InstanceSocket.Bind(_home + "/a.sock");

        socket.Dispose();

        await Assert.That(socket.IsThere).IsFalse();
        await Assert.That(other.IsThere).IsTrue();
    }

    [Test]
    public async Task A_process_is_known_by_number_and_start()
    {
        InstanceRecord us = Record(Here) with { Pid = Environment.ProcessId, StartTicks = BootMark.StartTicks(Environment.ProcessId) };

        await Assert.That(Here.Runs(us)).IsTrue();
        await Assert.That(Here.Runs(us with { StartTicks = us.StartTicks + 1 })).IsFalse();
        await Assert.That(Here.Runs(us with { Host = "login2" })).IsFalse();
        await Assert.That(Here.Runs(us with { BootId = "before" })).IsFalse();
        await Assert.That(Here.Runs(us with { Pid = int.MaxValue, StartTicks = null })).IsFalse();
    }

    private string File(string extension) => $"{_home}/.pelican/client-api.{extension}";

    private Task<Instance> TakeAsync(HostIdentity host, CancellationToken cancellationToken, InstanceChoice? choice = null) =>
        new InstanceClaim(host, TimeProvider.System)
            .TakeAsync(InstancePaths.Resolve(choice ?? new InstanceChoice(), _home, host), new ServingManner(false, true, ["client-api", "serve"]), cancellationToken);

    private static InstanceSocket Listen(Instance instance)
    {
        InstanceSocket socket = InstanceSocket.Bind(instance.Paths.Socket);
        socket.Socket.Listen();
        return socket;
    }

    // As after kill -9: the name stays.
    private static void LeaveSocket(string path)
    {
        string old = path + ".old";
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(old));
        System.IO.File.Move(old, path);
    }

    private InstanceRecord Record(HostIdentity host) => new()
    {
        Id = "theirs",
        Host = host.Name,
        BootId = host.BootId,
        Pid = 4711,
        StartedAt = DateTimeOffset.UnixEpoch,
        Version = "0.1.0",
        Socket = File("sock"),
        PidFile = File("pid"),
        Database = File("db"),
    };

    private void Write(InstanceRecord record) =>
        System.IO.File.WriteAllBytes(File("json"), JsonSerializer.SerializeToUtf8Bytes(record, PelicanJson.Default.InstanceRecord));
}
