using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class LocalFileTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("local-file-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_file_is_replaced_whole(bool durable)
    {
        await File.WriteAllTextAsync(At("a"), "old");
        using FileStream reader = File.OpenRead(At("a"));
        LocalFile.Replace(At("a"), "new"u8, durable: durable);

        await Assert.That(await File.ReadAllTextAsync(At("a"))).IsEqualTo("new");
        await Assert.That(reader.Length).IsEqualTo(3);
        await Assert.That(File.GetUnixFileMode(At("a"))).IsEqualTo(OwnerOnly);
        await Assert.That(Left()).IsEquivalentTo(["a"]);
    }

    [Test]
    public async Task A_name_that_something_has_is_not_taken()
    {
        await Assert.That(LocalFile.TryPlace(At("a"), "first"u8)).IsTrue();
        await Assert.That(LocalFile.TryPlace(At("a"), "second"u8)).IsFalse();

        await Assert.That(await File.ReadAllTextAsync(At("a"))).IsEqualTo("first");
        await Assert.That(Left()).IsEquivalentTo(["a"]);
    }

    [Test]
    public async Task What_cannot_get_its_name_leaves_nothing()
    {
        Directory.CreateDirectory(At("a"));

        Assert.Throws<IOException>(() => LocalFile.Replace(At("a"), "x"u8));

        await Assert.That(Left()).IsEquivalentTo(["a"]);
    }

    [Test]
    public async Task What_is_written_in_place_is_seen_at_once_and_what_was_there_is_gone()
    {
        await File.WriteAllTextAsync(At("a"), "what was there");
        using LocalFile file = LocalFile.InPlace(At("a"), OwnerOnly);
        RandomAccess.Write(file.Handle, "x"u8, 0);
        file.Complete(durable: true);

        await Assert.That(await File.ReadAllTextAsync(At("a"))).IsEqualTo("x");
    }

    [Test]
    public async Task Pipes_and_devices_have_nothing_to_flush()
    {
        using LocalFile device = LocalFile.InPlace("/dev/null", OwnerOnly);
        device.Complete(durable: true);

        await Assert.That(device.InitialLength).IsEqualTo(0);
    }

    [Test]
    public async Task A_link_is_not_opened()
    {
        await File.WriteAllTextAsync(At("a"), "");
        File.CreateSymbolicLink(At("link"), "a");

        await Assert.That(LocalFile.TryOpen(At("link"))).IsNull();
        await Assert.That(LocalFile.TryOpen(At("none"))).IsNull();
        using LocalFile? there = LocalFile.TryOpen(At("a"));
        await Assert.That(there).IsNotNull();
    }

    [Test]
    public async Task A_file_knows_whether_its_name_still_leads_to_it()
    {
        using LocalFile file = LocalFile.TryCreate(At("a"), OwnerOnly)!;
        await Assert.That(file.IsThere).IsTrue();
        File.Move(At("a"), At("b"));
        await Assert.That(file.IsThere).IsFalse();
        await File.WriteAllTextAsync(At("a"), "another");
        await Assert.That(file.IsThere).IsFalse();
    }

    [Test]
    [Arguments(0xEF53u, false)] // ext4
    [Arguments(0x01021994u, false)] // tmpfs
    [Arguments(0x6969u, true)] // NFS
    [Arguments(0x65735546u, true)] // FUSE
    [Arguments(0x12345678u, true)]
    [Arguments(null, true)]
    public async Task What_is_not_known_to_tell_at_once_is_taken_to_tell_late(uint? type, bool late)
    {
        await Assert.That(LocalMedium.ReportsLate(type)).IsEqualTo(late);
    }

    [Test]
    public async Task Names_that_the_file_system_tells_apart_do_not_clash()
    {
        await Assert.That(NameClash.Find(_folder, ["Data", "data", "DATA", "\u00E9", "e\u0301", "a.", "a"])).IsEmpty();
        await Assert.That(Left()).IsEmpty();
    }

    private string At(string name) => Path.Combine(_folder, name);

    private string[] Left() => [.. Directory.GetFileSystemEntries(_folder).Select(path => Path.GetFileName(path))];
}
