using Pelican.Federation;
using Pelican.Tests.Support;

namespace Pelican.Tests.Publish;

/// <summary>Hosts that limit the address space of a process (<c>ulimit -v</c>, <c>h_vmem</c>).</summary>
public sealed class AddressSpacePublishedTests : IDisposable
{
    private const string Path = "/public/a.bin";

    private static readonly byte[] Content = Bytes.Random(20_000_000);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pelican-space-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Test]
    [Arguments(false, 300_000)]
    [Arguments(true, 300_000)]
    [Arguments(false, 1_000_000)]
    public async Task A_download_fits_into_little_address_space(bool dynamic, int kibibytes)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        federation.Origin.Store(Path, Content);
        string executable = (dynamic ? PublishedExecutable.FindDynamic() : PublishedExecutable.Find()).Path;
        string file = System.IO.Path.Combine(_folder.FullName, "a.bin");

        ProgramRun run = await PublishedExecutable.RunAsync("bash",
            ["-c", $"ulimit -v {kibibytes}; SSL_CERT_FILE='{federation.CaFile}' exec '{executable}' object get '{federation.UrlOf(Path)}' '{file}'"]);

        await Assert.That(run.ExitStatus).IsEqualTo(0).Because(run.Error);
        await Assert.That(Bytes.AreIn(file, Content)).IsTrue();
    }
}
