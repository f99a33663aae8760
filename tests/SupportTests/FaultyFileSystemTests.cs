using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.SupportTests;

public sealed partial class FaultyFileSystemTests
{
    [Test]
    public async Task Without_a_rule_it_is_a_file_system_as_any()
    {
        using var disk = FaultyFileSystem.Mount();
        File.WriteAllText(disk.File("a"), "hello");
        File.Move(disk.File("a"), disk.File("b"));
        Directory.CreateDirectory(disk.File("c/d"));

        await Assert.That(disk.Files()).IsEquivalentTo(["b", "c", "c/d"]);
        await Assert.That(File.ReadAllText(disk.File("b"))).IsEqualTo("hello");
        await Assert.That(File.ReadAllText(disk.Backing + "/b")).IsEqualTo("hello");
        await Assert.That(LocalMedium.IsRemote(LocalMedium.TypeOf(disk.Root))).IsTrue();
    }

    [Test]
    [Arguments("create EROFS", 30)]
    [Arguments("write EDQUOT", 122)]
    [Arguments("write ENOSPC from=2", 28)]
    [Arguments("rename ESTALE", 116)]
    [Arguments("rename EIO name=b", 5)]
    public async Task A_call_fails_as_it_is_told(string rule, int error)
    {
        using var disk = FaultyFileSystem.Mount();
        disk.Tell(rule);

        IOException? fault = null;
        try
        {
            Write();
        }
        catch (IOException e)
        {
            fault = e;
        }

        await Assert.That(fault?.HResult).IsEqualTo(error);
        disk.Heal();
        Write();
        await Assert.That(File.ReadAllText(disk.File("b"))).IsEqualTo("hello");

        void Write()
        {
            using (FileStream file = new(disk.File("a"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            {
                file.Write("hello"u8);
            }

            File.Move(disk.File("a"), disk.File("b"), overwrite: true);
        }
    }

    [Test]
    [Arguments("fsync EIO name=a*", 5)]
    [Arguments("fsync ENOSPC", 28)]
    public async Task Fsync_fails_as_it_is_told(string rule, int error)
    {
        using var disk = FaultyFileSystem.Mount();
        disk.Tell(rule);

        // .NET's own way, FileStream.Flush(flushToDisk: true), says nothing of an error.
        using SafeFileHandle file = File.OpenHandle(disk.File("a"), FileMode.Create, FileAccess.Write);
        int result = Sync(file);
        await Assert.That(result == 0 ? 0 : Marshal.GetLastPInvokeError()).IsEqualTo(error);
        await Assert.That(disk.Count("fsync")).IsEqualTo(1);
    }

    [Test]
    [Arguments("flush EDQUOT", 122)]
    [Arguments("flush EIO name=b", 0)]
    public async Task Close_fails_as_it_is_told(string rule, int error)
    {
        using var disk = FaultyFileSystem.Mount();
        disk.Tell(rule, "write OK from=3");

        SafeFileHandle file = File.OpenHandle(disk.File("a"), FileMode.Create, FileAccess.Write);
        RandomAccess.Write(file, "abcd"u8, 0);
        int result = Close((int)file.DangerousGetHandle());
        file.SetHandleAsInvalid();
        await Assert.That(result == 0 ? 0 : Marshal.GetLastPInvokeError()).IsEqualTo(error);
        await Assert.That(File.ReadAllBytes(disk.Backing + "/a")).IsEquivalentTo(new byte[4]);
    }

    [Test]
    public async Task A_rule_holds_for_so_many_calls_of_so_many_files()
    {
        using var disk = FaultyFileSystem.Mount();
        disk.Tell("mkdir ENOSPC name=x* skip=1 times=1");

        Directory.CreateDirectory(disk.File("a"));
        Directory.CreateDirectory(disk.File("x1"));
        await Assert.That(() => Directory.CreateDirectory(disk.File("x2"))).Throws<IOException>();
        Directory.CreateDirectory(disk.File("x3"));
        await Assert.That(disk.Count("mkdir")).IsEqualTo(4);
    }

    [Test]
    public async Task Names_that_differ_in_case_can_be_one_name()
    {
        using var disk = FaultyFileSystem.Mount();
        disk.Tell("caseless");

        File.WriteAllText(disk.File("Data"), "1");
        File.WriteAllText(disk.File("DATA"), "2");
        await Assert.That(disk.Files()).IsEquivalentTo(["Data"]);
        await Assert.That(File.ReadAllText(disk.File("data"))).IsEqualTo("2");
    }

    [Test]
    public async Task Two_on_one_backing_are_two_hosts_whose_locks_do_not_meet()
    {
        using var one = FaultyFileSystem.Mount();
        using var other = FaultyFileSystem.Mount(one.Backing);
        one.Tell("flock OK");
        other.Tell("flock OK");

        using InstanceLock? first = InstanceLock.TryTake(one.File("lock"));
        using InstanceLock? second = InstanceLock.TryTake(other.File("lock"));
        await Assert.That(first).IsNotNull();
        await Assert.That(second).IsNotNull();
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
