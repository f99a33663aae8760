using System.Text.Json;
using Pelican.Federation;
using Pelican.Tests.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Downloads onto disks that fail.</summary>
public sealed class FileFaultTests
{
    private const string Path = "/public/run1/a.bin";

    private static readonly byte[] Small = Bytes.Random(50_000);
    private static readonly byte[] Large = Bytes.Random(5_000_000);

    [Test]
    [Arguments("flush EDQUOT", "Local.NoSpace")]
    [Arguments("flush EIO", "Local")]
    [Arguments("flush ENOSPC", "Local.NoSpace")]
    [Arguments("fsync EDQUOT", "Local.NoSpace")]
    [Arguments("fsync EIO", "Local")]
    [Arguments("fsync ESTALE", "Local")]
    [Arguments("fsyncdir EIO", "Local")]
    [Arguments("write EDQUOT from=40000", "Local.NoSpace")]
    [Arguments("write EIO", "Local")]
    [Arguments("rename EIO", "Local")]
    [Arguments("rename ESTALE", "Local")]
    [Arguments("create EROFS", "Local.PermissionDenied")]
    public async Task Nothing_has_the_final_name_unless_the_disk_took_all_of_it(string fault, string row, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        federation.Origin.Store(Path, Small);
        using TestClient client = new(federation, disk: disk);
        disk.Tell(fault);

        PelicanException one = await Expect.FailureAsync(client.GetAsync(Path, "a.bin", cancellationToken));
        TreeResult tree = await client.GetTreeAsync("/public/run1", "tree", cancellationToken);
        disk.Heal();

        await Assert.That(one.Row.Name).IsEqualTo(row);
        await Assert.That(one.ExitStatus).IsEqualTo(10);
        await Assert.That(tree.Failure!.Row.Name).IsEqualTo(row);
        await Assert.That(client.Files()).IsEquivalentTo(["tree"]);
    }

    [Test]
    public async Task A_file_that_took_the_place_of_another_stays_although_its_directory_cannot_be_flushed(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        federation.Origin.Store(Path, Small);
        using TestClient client = new(federation, disk: disk);
        client.Write("a.bin", [1, 2, 3]);
        disk.Tell("fsyncdir EIO");

        PelicanException error = await Expect.FailureAsync(client.GetAsync(Path, "a.bin", cancellationToken));
        disk.Heal();

        await Assert.That(error.ExitStatus).IsEqualTo(10);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
    }

    [Test]
    [Arguments("flush EDQUOT name=*a.bin*")]
    [Arguments("fsync EIO name=*a.bin*")]
    [Arguments("rename EIO name=a.bin")]
    public async Task A_job_whose_file_did_not_arrive_has_failed(string fault, CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        server.Federation.Origin.Store(Path, Small);
        disk.Tell(fault);
        string[] transfers = [ApiServer.Transfer("get", server.Url(Path), disk.File("a.bin")), ApiServer.Transfer("get", server.Url("/public/run1?recursive"), disk.File("tree"))];

        JsonElement job = await server.EndAsync(await server.CreateAsync(cancellationToken, transfers), cancellationToken);

        await Assert.That(job.GetProperty("progress").GetProperty("transfers_failed").GetInt32()).IsEqualTo(2);
        await Assert.That(disk.Files()).IsEquivalentTo(["tree"]);
    }

    [Test]
    public async Task A_file_is_flushed_before_it_gets_its_name_and_its_directory_after(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        federation.Origin.Store(Path, Small);
        using TestClient client = new(federation, disk: disk);

        await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
        await Assert.That((disk.Count("fsync"), disk.Count("fsyncdir"))).IsEqualTo((1, 1));
        await Assert.That(client.Files()).IsEquivalentTo(["a.bin"]);
    }

    [Test]
    [Arguments("write OK from=3000000")]
    [Arguments("write OK from=10")]
    public async Task Bytes_that_the_disk_only_pretends_to_have_are_found(string fault, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        federation.Origin.Store(Path, Large);
        using TestClient client = new(federation, disk: disk);
        disk.Tell(fault);

        PelicanException error = await Expect.FailureAsync(client.GetAsync(Path, "a.bin", cancellationToken));

        await Assert.That(error.ExitStatus).IsNotEqualTo(0);
        await Assert.That(File.Exists(client.File("a.bin"))).IsFalse();
    }

    [Test]
    [Arguments("rename EIO name=a.bin")]
    [Arguments("rename EIO times=1")]
    [Arguments("rename EACCES name=a.bin")]
    public async Task What_was_verified_is_not_received_again(string fault, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        federation.Origin.Store(Path, Large);
        using TestClient client = new(federation, disk: disk);
        Gate gate = new(3_000_000);
        federation.Cache.Faults.Add("GET", Path, FaultAction.Hold(gate), times: 1);

        Task<TransferResult> download = client.GetAsync(Path, "a.bin", cancellationToken);
        await Expect.UntilAsync(() => client.HasNoted, cancellationToken);
        disk.Tell(fault);
        gate.Open();
        PelicanException error = await Expect.FailureAsync(download);
        disk.Heal();
        TransferResult again = await client.GetAsync(Path, "a.bin", cancellationToken);

        await Assert.That(error.ExitStatus).IsEqualTo(10);
        await Assert.That(error.NextStep).Contains("are kept");
        await Assert.That(again.ResumedFrom).IsEqualTo(Large.Length);
        await Assert.That(Bytes.AreIn(client.File("a.bin"), Large)).IsTrue();
        await Assert.That(client.Files()).IsEquivalentTo(["a.bin"]);
    }

    [Test]
    [Arguments("setattr EPERM name=*part")]
    [Arguments("flock ENOSYS")]
    [Arguments("flock OK")]
    [Arguments("fallocate EOPNOTSUPP")]
    [Arguments("link EPERM")]
    [Arguments("fsyncdir EINVAL")]
    [Arguments("statfs EIO")]
    public async Task A_disk_that_lacks_something_gets_the_file_all_the_same(string lack, CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        federation.Origin.Store(Path, Small);
        using TestClient client = new(federation, disk: disk);
        client.Write("a.bin", [1]);
        disk.Tell(lack);

        await client.GetAsync(Path, "a.bin", cancellationToken);
        await client.GetTreeAsync("/public/run1", "tree", cancellationToken);

        await Assert.That(Bytes.AreIn(client.File("a.bin"), Small)).IsTrue();
        await Assert.That(client.Files()).IsEquivalentTo(["a.bin", "tree", "tree/a.bin"]);
    }

    [Test]
    public async Task Names_that_the_disk_takes_for_one_are_all_refused_and_the_others_arrive(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        disk.Tell("caseless");
        foreach (string name in (string[])["Data", "data", "DATA", "other", "Sub/a", "sub/b", "deep/X", "deep/y"])
        {
            federation.Origin.Store("/public/tree/" + name, Small);
        }

        using TestClient client = new(federation, disk: disk);
        TreeResult result = await client.GetTreeAsync("/public/tree", "got", cancellationToken);

        await Assert.That(result.Failed).IsEqualTo(5);
        await Assert.That(result.Failure!.ExitStatus).IsNotEqualTo(0);
        await Assert.That(client.Files()).IsEquivalentTo(["got", "got/deep", "got/deep/X", "got/deep/y", "got/other"]);
    }

    [Test]
    public async Task Two_hosts_that_get_one_object_to_one_place_do_not_disturb_each_other(CancellationToken cancellationToken)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        using FaultyFileSystem same = FaultyFileSystem.Mount(disk.Backing);
        federation.Origin.Store(Path, Large);
        using TestClient client = new(federation);
        Gate gate = new(3_000_000);
        federation.Cache.Faults.Add("GET", Path, FaultAction.Hold(gate), times: 1);
        string elsewhere = System.IO.Path.GetRelativePath(client.Folder, "/");

        Task<TransferResult> first = client.GetAsync(Path, elsewhere + disk.File("a.bin"), cancellationToken);
        await gate.Blocked.WaitAsync(cancellationToken);
        await client.GetAsync(Path, elsewhere + same.File("a.bin"), cancellationToken);
        bool second = Bytes.AreIn(disk.Backing + "/a.bin", Large);
        gate.Open();
        await first;

        await Assert.That(second).IsTrue();
        await Assert.That(Bytes.AreIn(disk.Backing + "/a.bin", Large)).IsTrue();
        await Assert.That(disk.Files()).IsEquivalentTo(["a.bin"]);
    }
}
