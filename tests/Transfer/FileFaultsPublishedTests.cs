using System.Globalization;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Faults of files that no file system here has: the kernel's answers are replaced on their way back (strace).</summary>
public sealed class FileFaultsPublishedTests : IDisposable
{
    private const string Unknown = "fstatfs:error=ENOSYS"; // a file system of an unknown kind

    private static readonly byte[] Small = Bytes.Random(50_000);
    private static readonly byte[] Large = Bytes.Random(5_000_000);

    private readonly string _folder = Directory.CreateTempSubdirectory("file-faults-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    [Arguments(Unknown, "fsync:error=EDQUOT", "the disk quota is used up")]
    [Arguments(Unknown, "fsync:error=EIO", "Input/output error")]
    [Arguments(Unknown, "fsync:error=ENOSPC", "no space is left on the device")]
    [Arguments("close:error=EDQUOT", null, "the disk quota is used up")]
    [Arguments("close:error=EIO", null, "Input/output error")]
    [Arguments("ftruncate:error=ENOSPC", null, "no space is left on the device")]
    public async Task What_is_told_late_is_an_error_and_nothing_has_the_name(string first, string? second, string said)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Large);

        ProgramRun run = await GetAsync(federation, "/public/a", "a", [PartOf(federation, "/public/a", "a")], first, second);

        await Assert.That(run.ExitStatus).IsEqualTo(10);
        await Assert.That(run.Error).Contains(said);
        await Assert.That(File.Exists(At("a"))).IsFalse();
    }

    [Test]
    [Arguments("fchmod:error=EPERM")]
    [Arguments("flock:error=ENOSYS")]
    [Arguments("flock:error=ENOLCK")]
    [Arguments("fallocate:error=EOPNOTSUPP")]
    [Arguments(Unknown)]
    public async Task A_file_system_that_lacks_something_gets_the_file_all_the_same(string fault)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Large);
        await File.WriteAllTextAsync(At("a"), "old");
        File.SetUnixFileMode(At("a"), UnixFileMode.UserRead | UnixFileMode.UserWrite);

        ProgramRun run = await GetAsync(federation, "/public/a", "a", [], fault);

        await Assert.That(run.ExitStatus).IsEqualTo(0);
        await Assert.That(Bytes.AreIn(At("a"), Large)).IsTrue();
        await Assert.That(Directory.GetFileSystemEntries(_folder)).HasSingleItem();
    }

    [Test]
    [Arguments("close:error=EDQUOT")]
    [Arguments("write,pwrite64:error=ENOSPC:when=2+")]
    public async Task A_statistics_file_that_is_not_whole_is_an_error(string fault)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Small);

        ProgramRun run = await RunAsync(federation, [At("stats")], [fault], ["object", "get", "--transfer-stats", At("stats"), federation.UrlOf("/public/a"), At("a")]);

        await Assert.That(run.ExitStatus).IsEqualTo(10);
        await Assert.That(run.Error).Contains($"cannot write '{At("stats")}'");
    }

    [Test]
    [Arguments("object get {0} -")]
    [Arguments("object ls {1}")]
    [Arguments("object stat {0}")]
    [Arguments("--version")]
    [Arguments("--help")]
    public async Task Standard_output_that_is_closed_is_an_error(string command)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Small);
        string words = string.Format(CultureInfo.InvariantCulture, command, federation.UrlOf("/public/a"), federation.UrlOf("/public"));

        ProgramRun run = await PublishedExecutable.RunAsync("sh", ["-c", $"'{PublishedExecutable.Find().Path}' {words} >&-"], Environment(federation));

        await Assert.That(run.ExitStatus).IsEqualTo(10);
        await Assert.That(run.Error).Contains("standard output");
    }

    [Test]
    public async Task Who_closes_standard_output_may_get_a_file()
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Small);

        ProgramRun run = await PublishedExecutable.RunAsync(
            "sh", ["-c", $"'{PublishedExecutable.Find().Path}' object get {federation.UrlOf("/public/a")} '{At("a")}' >&- 2>&- <&-"], Environment(federation));

        await Assert.That(run.ExitStatus).IsEqualTo(0);
        await Assert.That(Bytes.AreIn(At("a"), Small)).IsTrue();
    }

    [Test]
    [Arguments("close:error=EDQUOT")]
    [Arguments("fsync:error=EIO")]
    public async Task A_file_behind_standard_output_that_tells_late_is_an_error(string fault)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store("/public/a", Small);

        ProgramRun run = await PublishedExecutable.RunAsync("sh",
            ["-c", $"strace -f -o /dev/null -P '{At("out")}' -e inject={fault} -e inject={Unknown} '{Executable()}' object get {federation.UrlOf("/public/a")} - > '{At("out")}'"],
            Environment(federation));

        await Assert.That(run.ExitStatus).IsEqualTo(10);
        await Assert.That(run.Error).Contains("standard output");
    }

    private static string Executable()
    {
        string path = PublishedExecutable.Find().Path;
        Skip.Unless(File.Exists("/usr/bin/strace"), "strace is not installed");
        return path;
    }

    private static Dictionary<string, string> Environment(TestFederation federation) =>
        new() { ["PELICAN_SERVER_TLSCACERTIFICATEFILE"] = federation.CaFile, ["PELICAN_CONFIGBASE"] = "/nowhere" };

    private Task<ProgramRun> GetAsync(TestFederation federation, string path, string name, string[] paths, params string?[] faults) =>
        RunAsync(federation, paths, faults, ["object", "get", federation.UrlOf(path), At(name)]);

    private static Task<ProgramRun> RunAsync(TestFederation federation, string[] paths, string?[] faults, string[] arguments)
    {
        IEnumerable<string> strace = ["-f", "-o", "/dev/null", .. paths.SelectMany(path => new[] { "-P", path }),
            .. faults.OfType<string>().SelectMany(fault => new[] { "-e", "inject=" + fault })];
        string executable = Executable();
        return PublishedExecutable.RunAsync("strace", [.. strace, executable, .. arguments], Environment(federation));
    }

    private string PartOf(TestFederation federation, string path, string name)
    {
        using PartFile part = PartFile.Open(At(name), ObjectUrl.Parse(federation.UrlOf(path), new ClientSettings()), UnixFileMode.UserRead);
        return part.Path;
    }

    private string At(string name) => Path.Combine(_folder, name);
}
