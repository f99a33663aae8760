using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Commands;

/// <summary>Command lines in a directory whose disk fails.</summary>
public sealed class FileFaultCommandTests
{
    private static readonly byte[] Content = Bytes.Random(300_000);

    [Test]
    [Arguments("write ENOSPC name=stats.json", 10, false)]
    [Arguments("write EIO name=stats.json skip=1", 10, true)]
    [Arguments("flush EDQUOT name=stats.json", 10, true)]
    [Arguments("create EROFS name=stats.json", 10, false)]
    public async Task Statistics_that_were_not_written_are_told_and_cost_no_object(string fault, int status, bool gets)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        using TestShell shell = new(federation, disk);
        federation.Origin.Store("/public/a", Content);
        disk.Tell(fault);

        ShellResult result = await shell.RunAsync("object", "get", "--transfer-stats", "stats.json", federation.UrlOf("/public/a"), "a");
        disk.Heal();

        await Assert.That(result.Status).IsEqualTo(status).Because(result.Error);
        await Assert.That(result.Error).Contains(shell.File("stats.json"));
        await Assert.That(File.Exists(shell.File("a"))).IsEqualTo(gets);
        await Assert.That(!gets || Bytes.AreIn(shell.File("a"), Content)).IsTrue();
    }

    [Test]
    [Arguments("read EIO name=a")]
    [Arguments("read ESTALE name=a skip=1")]
    [Arguments("open EIO name=a")]
    public async Task A_source_that_cannot_be_read_leaves_nothing_at_the_origin(string fault)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        using TestShell shell = new(federation, disk);
        await File.WriteAllBytesAsync(shell.File("a"), Content);
        disk.Tell(fault);

        ShellResult result = await shell.RunAsync("object", "put", shell.File("a"), federation.UrlOf("/demo/a"));

        await Assert.That(result.Status).IsEqualTo(10).Because(result.Error);
        await Assert.That(result.Error).Contains(shell.File("a"));
        await Assert.That(federation.Origin.Exists("/demo/a")).IsFalse();
    }

    [Test]
    [Arguments("read EIO name=token")]
    [Arguments("open ESTALE name=token")]
    public async Task A_token_file_that_cannot_be_read_is_named(string fault)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using FaultyFileSystem disk = FaultyFileSystem.Mount();
        using TestShell shell = new(federation, disk);
        federation.Origin.Store("/protected/a", Content);
        shell.Write("token", federation.Issuer.CreateToken("storage.read:/"));
        disk.Tell(fault);

        ShellResult result = await shell.RunAsync("object", "get", "-t", "token", federation.UrlOf("/protected/a"), "a");

        await Assert.That(result.Status).IsNotEqualTo(0);
        await Assert.That(result.Error).Contains(shell.File("token"));
        await Assert.That(File.Exists(shell.File("a"))).IsFalse();
    }
}
