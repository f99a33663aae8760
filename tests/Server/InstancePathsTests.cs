using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

public sealed class InstancePathsTests : IDisposable
{
    private static readonly HostIdentity Here = new("login1.example.org", "boot");

    private readonly string _home = Directory.CreateTempSubdirectory("pelican-home-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Test]
    public async Task Files_are_in_the_home_directory()
    {
        var paths = InstancePaths.Resolve(new InstanceChoice(), "/home/u", Here);

        await Assert.That(paths.Socket).IsEqualTo("/home/u/.pelican/client-api.sock");
        await Assert.That(paths.PidFile).IsEqualTo("/home/u/.pelican/client-api.pid");
        await Assert.That(paths.Database).IsEqualTo("/home/u/.pelican/client-api.db");
        await Assert.That(paths.LogFile).IsEqualTo("/home/u/.pelican/client-api.log");
        await Assert.That(paths.Record).IsEqualTo("/home/u/.pelican/client-api.json");
        await Assert.That(paths.Locks).IsEquivalentTo(["/home/u/.pelican/client-api.lock"]);
    }

    [Test]
    public async Task What_the_user_chose_is_taken_and_locked_apart()
    {
        var paths = InstancePaths.Resolve(new InstanceChoice { Socket = "/run/p/api.sock" }, "/home/u", Here);

        await Assert.That(paths.Socket).IsEqualTo("/run/p/api.sock");
        await Assert.That(paths.Database).IsEqualTo("/home/u/.pelican/client-api.db");
        await Assert.That(paths.Locks).IsEquivalentTo(["/home/u/.pelican/client-api.lock", "/run/p/api.lock"]);
        await Assert.That(paths.OfThisHost).IsNull();
    }

    [Test]
    public async Task Another_host_can_get_out_of_the_way()
    {
        InstancePaths own = InstancePaths.Resolve(new InstanceChoice(), "/home/u", Here).OfThisHost!;

        await Assert.That(own.Socket).IsEqualTo("/home/u/.pelican/client-api.login1.example.org.sock");
        await Assert.That(own.Locks).IsEquivalentTo(["/home/u/.pelican/client-api.login1.example.org.lock"]);
    }

    [Test]
    public async Task Jobs_of_this_host_keep_their_files()
    {
        Directory.CreateDirectory(_home + "/.pelican");
        await File.WriteAllTextAsync(_home + "/.pelican/client-api.login1.example.org.db", "");

        var paths = InstancePaths.Resolve(new InstanceChoice(), _home, Here);

        await Assert.That(paths.Socket).IsEqualTo(_home + "/.pelican/client-api.login1.example.org.sock");
        await Assert.That(paths.OfThisHost).IsNull();
    }

    [Test]
    [Arguments(107, true)]
    [Arguments(108, false)]
    public async Task A_path_that_no_socket_can_have_is_refused_with_the_limit_and_the_way_out(int bytes, bool possible)
    {
        string socket = "/" + new string('ä', (bytes - 6) / 2) + (bytes % 2 == 0 ? "" : "b") + ".sock";

        PelicanException? error = await Expect.FailureOrNullAsync(
            Task.Run(() => InstancePaths.Resolve(new InstanceChoice { Socket = socket }, "/home/u", Here)));

        await Assert.That(error is null).IsEqualTo(possible);
        await Assert.That(error?.Message ?? "has 108 bytes, and 107").Contains("has 108 bytes, and 107");
        await Assert.That(error?.NextStep ?? "--socket PELICAN_CLIENT_API_SOCKET").Contains("--socket").And.Contains("PELICAN_CLIENT_API_SOCKET");
    }

    [Test]
    [Arguments(null)]
    [Arguments("/nonexistent")]
    public async Task Without_a_home_the_files_must_be_named(string? home)
    {
        InstanceChoice all = new() { Socket = "/a/a.sock", PidFile = "/a/a.pid", Database = "/a/a.db", LogFile = "/a/a.log" };

        PelicanException error = await Expect.FailureAsync(Task.Run(() => InstancePaths.Resolve(all with { LogFile = null }, home, Here)));

        await Assert.That(error.NextStep!).Contains("--socket, --pid-file, --database and --log-file");
        await Assert.That(InstancePaths.Resolve(all, home, Here).Socket).IsEqualTo("/a/a.sock");
    }

    [Test]
    [Arguments("/a/x.lock", "/a/y.pid")]
    [Arguments("/a/x", "/a/x")]
    [Arguments("/a/x.sock", "/a/x.json")]
    public async Task Files_that_would_be_one_are_refused(string socket, string pidFile)
    {
        PelicanException error = await Expect.FailureAsync(
            Task.Run(() => InstancePaths.Resolve(new InstanceChoice { Socket = socket, PidFile = pidFile }, "/home/u", Here)));

        await Assert.That(error.Row).IsEqualTo(Errors.Parameter);
    }

    [Test]
    public async Task A_host_name_is_a_file_name()
    {
        await Assert.That(new HostIdentity("a/b c", "").FileName).IsEqualTo("a_b_c");
    }
}
