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
