using System.Runtime.InteropServices;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed partial class LocalDestinationTests : IDisposable
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly string _folder = Directory.CreateTempSubdirectory("destination-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    [Arguments("", "o.dat")]
    [Arguments("/", "o.dat")]
    [Arguments("/new", "new")]
    [Arguments("/new/", "new/o.dat")]
    [Arguments("/dir", "dir/o.dat")]
    [Arguments("/dir/", "dir/o.dat")]
    [Arguments("/link", "link/o.dat")]
    [Arguments("/file", "file")]
    [Arguments("/dangling", "dangling")]
    [Arguments("/a/b/c", "a/b/c")]
    [Arguments("/a/b/c/", "a/b/c/o.dat")]
    public async Task A_directory_or_a_slash_receives_the_object_under_its_own_name(string destination, string expected)
    {
        Directory.CreateDirectory(_folder + "/dir");
        Directory.CreateSymbolicLink(_folder + "/link", "dir");
        File.CreateSymbolicLink(_folder + "/dangling", "none");
        await File.WriteAllTextAsync(_folder + "/file", "");

        using var local = LocalDestination.Prepare(_folder + destination, "o.dat", Mode);

        await Assert.That(Path.GetRelativePath(_folder, local.Path)).IsEqualTo(expected);
        await Assert.That(Directory.Exists(Path.GetDirectoryName(local.Path))).IsTrue();
    }

    [Test]
    public async Task Directories_made_for_nothing_go_again()
    {
        Directory.CreateDirectory(_folder + "/old");
        LocalDestination.Prepare(_folder + "/old/a/b/c/", "o", Mode).Dispose();

        await Assert.That(Left()).IsEquivalentTo(["old"]);
    }

    [Test]
    public async Task Directories_with_something_in_them_stay()
    {
        using (var local = LocalDestination.Prepare(_folder + "/a/b/o", "o", Mode))
        {
            local.Keep();
        }

        using (LocalDestination.Prepare(_folder + "/c/d/o", "o", Mode))
        {
            await File.WriteAllTextAsync(_folder + "/c/other", "");
        }

        await Assert.That(Left()).IsEquivalentTo(["a", "a/b", "c", "c/other"]);
    }

    [Test]
    [Arguments("/dir", "o.dat")]
    [Arguments("/dir/", "o.dat")]
    public async Task A_directory_is_not_replaced(string destination, string name)
    {
        Directory.CreateDirectory($"{_folder}/dir/{name}");

        PelicanException error = Assert.Throws<PelicanException>(() => LocalDestination.Prepare(_folder + destination, name, Mode));

        await Assert.That(error.Row).IsEqualTo(Errors.Local);
        await Assert.That(error.Message).Contains("directory");
    }

    [Test]
    public async Task A_pipe_is_not_replaced()
    {
        _ = MakePipe(_folder + "/pipe", 0b110_000_000);

        PelicanException error = Assert.Throws<PelicanException>(() => LocalDestination.Prepare(_folder + "/pipe", "o", Mode));

        await Assert.That(error.Row).IsEqualTo(Errors.Local);
        await Assert.That(error.Message).EndsWith("it is a pipe, a socket or a device");
    }

    [Test]
    [Arguments("here", "here")]
    [Arguments("next/../here", "here")]
    [Arguments("again", "here")]
    [Arguments("none", "none")]
    [Arguments("dir/none", "dir/none")]
    public async Task A_link_that_was_named_is_followed(string to, string expected)
    {
        Directory.CreateDirectory(_folder + "/dir");
        Directory.CreateDirectory(_folder + "/next");
        await File.WriteAllTextAsync(_folder + "/here", "");
        File.CreateSymbolicLink(_folder + "/again", "here");
        File.CreateSymbolicLink(_folder + "/link", to);

        using var local = LocalDestination.Prepare(_folder + "/link", "o", Mode);

        await Assert.That(Path.GetRelativePath(_folder, local.Path)).IsEqualTo("link");
        await Assert.That(Path.GetRelativePath(_folder, Path.GetFullPath(local.Target))).IsEqualTo(expected);
    }

    [Test]
    public async Task Links_in_a_circle_are_a_local_fault()
    {
        File.CreateSymbolicLink(_folder + "/a", "b");
        File.CreateSymbolicLink(_folder + "/b", "a");

        PelicanException error = Assert.Throws<PelicanException>(() => LocalDestination.Prepare(_folder + "/a", "o", Mode));

        await Assert.That(error.Row).IsEqualTo(Errors.Local);
    }

    [Test]
    public async Task A_link_below_a_tree_is_replaced()
    {
        await File.WriteAllTextAsync(_folder + "/here", "");
        File.CreateSymbolicLink(_folder + "/link", "here");

        using var local = LocalDestination.Exactly(_folder + "/link");

        await Assert.That(local.Target).IsEqualTo(_folder + "/link");
        await Assert.That(local.Mode(Mode)).IsEqualTo(Mode);
    }

    [Test]
    public async Task The_mode_is_that_of_the_file_that_is_replaced()
    {
        using var fresh = LocalDestination.Prepare(_folder + "/o", "o", Mode);
        await File.WriteAllTextAsync(_folder + "/o", "");
        File.SetUnixFileMode(_folder + "/o", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var local = LocalDestination.Prepare(_folder + "/o", "o", Mode);

        await Assert.That(fresh.Mode(Mode)).IsEqualTo(Mode);
        await Assert.That(local.Mode(Mode)).IsEqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Test]
    public async Task A_read_only_file_is_replaced_with_consent_only()
    {
        await File.WriteAllTextAsync(_folder + "/o", "");
        File.SetUnixFileMode(_folder + "/o", UnixFileMode.UserRead);
        using var local = LocalDestination.Prepare(_folder + "/o", "o", Mode);

        local.CheckConsent(overwrite: true);
        PelicanException error = Assert.Throws<PelicanException>(() => local.CheckConsent(overwrite: false));

        await Assert.That(error.Row).IsEqualTo(Errors.LocalDenied);
        await Assert.That(error.Message).IsEqualTo($"cannot replace '{_folder}/o': it is read-only");
    }

    [Test]
    [Arguments("/file/")]
    [Arguments("/file/o")]
    [Arguments("/file/a/o")]
    public async Task Nothing_is_made_below_a_file(string destination)
    {
        await File.WriteAllTextAsync(_folder + "/file", "");

        PelicanException error = Assert.Throws<PelicanException>(() => LocalDestination.Prepare(_folder + destination, "o", Mode));

        await Assert.That(error.Message).StartsWith("cannot create ");
        await Assert.That(Left()).IsEquivalentTo(["file"]);
    }

    [Test]
    public async Task Directories_that_can_be_made_in_part_are_not_left()
    {
        PelicanException error = Assert.Throws<PelicanException>(
            () => LocalDestination.Prepare($"{_folder}/a/b/{new string('x', 300)}/o", "o", Mode));

        await Assert.That(error.Row).IsEqualTo(Errors.Local);
        await Assert.That(Left()).IsEmpty();
    }

    [Test]
    [Arguments("/dev/null", true)]
    [Arguments("/dev/stdout", true)]
    [Arguments("/dev/fd/3", true)]
    [Arguments("/dev/pts/0", true)]
    [Arguments("/dev/shm/run1/o", false)]
    [Arguments("/dev/shm", false)]
    [Arguments("/dev/shm/", false)]
    [Arguments("/device/o", false)]
    [Arguments("/home/dev/null", false)]
    public async Task Devices_are_told_from_files_in_memory(string destination, bool device)
    {
        await Assert.That(LocalDestination.IsDevice(destination)).IsEqualTo(device);
    }

    [Test]
    public async Task A_device_takes_what_is_written_and_one_that_is_not_there_is_not_made()
    {
        using (FileStream device = LocalDestination.OpenDevice("/dev/null"))
        {
            device.Write("x"u8);
        }

        PelicanException error = Assert.Throws<PelicanException>(() => LocalDestination.OpenDevice("/dev/pelican-none"));

        await Assert.That(error.Row).IsEqualTo(Errors.LocalFileNotFound);
        await Assert.That(File.Exists("/dev/pelican-none")).IsFalse();
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    private string[] Left() =>
        [.. Directory.GetFileSystemEntries(_folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_folder, path))];
}
